"""What boto3 makes for IAM database authentication, at a time that the caller chooses.

rds_token.py SECONDS ACCESS_KEY SECRET_KEY SESSION_TOKEN REGION HOST PORT USER
"""

import datetime
import sys

import boto3
import botocore.auth

seconds, access_key, secret_key, session_token, region, host, port, user = sys.argv[1:]


def at_that_time(remove_tzinfo=True):
    now = datetime.datetime.fromtimestamp(int(seconds), datetime.timezone.utc)
    return now.replace(tzinfo=None) if remove_tzinfo else now


# The one clock of all of botocore's signers.
assert callable(botocore.auth.get_current_datetime)
botocore.auth.get_current_datetime = at_that_time

session = boto3.Session(access_key, secret_key, session_token or None, region)
print(session.client("rds").generate_db_auth_token(host, int(port), user))
