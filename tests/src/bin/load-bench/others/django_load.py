"""Loads a CSV file with Django's bulk_create, as its documentation has it: python django_load.py DATABASE_URL FILE."""

import csv
import datetime
import decimal
import itertools
import sys
import urllib.parse
import uuid

import django
from django.conf import settings

BATCH_SIZE = 1000


def database(url):
    if url.startswith("sqlite:"):
        return {"ENGINE": "django.db.backends.sqlite3", "NAME": url.removeprefix("sqlite:")}
    parts = urllib.parse.urlsplit(url)
    return {
        "ENGINE": "django.db.backends.postgresql",
        "HOST": parts.hostname,
        "PORT": parts.port,
        "USER": parts.username,
        "NAME": parts.path.lstrip("/"),
    }


# Django's default zone is that of Chicago, where PostgreSQL would move the hour that the clocks skip in March.
settings.configure(DATABASES={"default": database(sys.argv[1])}, USE_TZ=False, TIME_ZONE="UTC", DEBUG=False)
django.setup()

from django.db import models, transaction  # noqa: E402: a model needs the settings


class Loaded(models.Model):
    id = models.UUIDField(primary_key=True)
    name = models.TextField()
    quantity = models.IntegerField()
    price = models.DecimalField(max_digits=12, decimal_places=2)
    born = models.DateField()
    active = models.BooleanField()
    seen = models.DateTimeField()
    note = models.TextField(null=True)

    class Meta:
        app_label = "load"
        db_table = "loaded"
        managed = False


def instance(row):
    return Loaded(
        id=uuid.UUID(row["id"]),
        name=row["name"],
        quantity=int(row["quantity"]),
        price=decimal.Decimal(row["price"]),
        born=datetime.date.fromisoformat(row["born"]),
        active=row["active"] == "true",
        seen=datetime.datetime.fromisoformat(row["seen"]),
        note=row["note"] or None,
    )


with open(sys.argv[2], newline="", encoding="utf-8") as file, transaction.atomic():
    instances = map(instance, csv.DictReader(file))
    while batch := list(itertools.islice(instances, BATCH_SIZE)):
        Loaded.objects.bulk_create(batch, BATCH_SIZE)
