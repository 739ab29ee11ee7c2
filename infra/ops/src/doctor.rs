//! Looks at everything that an import needs and says what is wrong, each with what to do.

mod check;
mod definition;
mod disk;
mod lambda;
mod left;
mod programs;
mod refusal;
mod services;
mod settings;

use aws_sdk_sfn::config::ProvideCredentials as _;
use statemachine::FailureName;
use worker::db::Database;
use worker::failure::Failure;

use crate::target::{Choice, Need, Place, Target};
pub use check::{Check, Status};
use settings::Settings;

/// What was found.
pub struct Examined {
    /// Where it was looked; none where that could not be reached.
    pub target: Option<String>,
    /// What was looked at, in order.
    pub checks: Vec<Check>,
}

/// Examines the target. Where the configuration is at fault there is none, and `choice` says why.
pub async fn doctor(choice: anyhow::Result<Choice>) -> Examined {
    let mut checks = programs::checks();
    let mut target = None;
    match choice {
        Ok(choice) => {
            checks.insert(0, configuration(&choice));
            match Target::reach(&choice, Need::Look).await {
                Ok(reached) => {
                    target = Some(reached.place.describe());
                    checks.extend(Box::pin(examine(&choice, &reached)).await);
                    reached.close().await;
                }
                Err(error) => {
                    // A disk that is full has SQLite speak of its input and output.
                    checks.extend(disk::check(&choice.data_dir));
                    checks.push(Check::fail("target", format!("{error:#}"), "mend what the error names"))
                }
            }
        }
        Err(error) => {
            let advice =
                "mend the file, or name another by --config; `baton doctor --help` names what is read";
            checks.insert(0, Check::fail("configuration", format!("{error:#}"), advice));
        }
    }
    Examined { target, checks }
}

/// Where the configuration came from.
fn configuration(choice: &Choice) -> Check {
    let chosen = &choice.chosen;
    let says = match (&chosen.file, &chosen.name) {
        (Some(file), Some(name)) => format!("target {name} of {}", file.display()),
        (Some(file), None) => {
            format!("the embedded stack in {}; {} has no say", choice.data_dir.display(), file.display())
        }
        _ => format!("no baton.toml: the embedded stack in {}", choice.data_dir.display()),
    };
    #[cfg(unix)]
    if let Some(file) = chosen.file.as_ref().filter(|file| check::others_can_read_a_secret_in(file)) {
        let advice = format!("chmod 600 {}, or name a variable by database_url_env", file.display());
        return Check::warn("configuration", format!("{says}; others can read the password in it"), advice);
    }
    Check::ok("configuration", says)
}

async fn examine(choice: &Choice, target: &Target) -> Vec<Check> {
    let mut checks = vec![database(choice, &target.database)];
    if let Place::Local { data_dir, .. } = &target.place {
        checks.extend(disk::check(data_dir));
    }
    checks.extend(left::check(choice, target).await);
    let credentials = match target.config.credentials_provider() {
        Some(provider) => provider.provide_credentials().await.map_err(|error| {
            // The chain's own words, which name no secret.
            crate::error::chain(&error)
        }),
        None => Err("there is no provider of credentials".to_owned()),
    };
    let keys = match credentials {
        Ok(keys) => keys,
        Err(error) => {
            let advice = "sign in (`aws sso login`), set AWS_PROFILE or the target's profile; for SSO the profile needs \
                          credential_process = aws configure export-credentials --profile NAME --format process";
            checks.push(Check::fail("credentials", error, advice));
            return checks;
        }
    };
    checks.push(Check::ok("credentials", "found"));

    let mut settings = Settings {
        is_at_aws: target.place.is_at_aws(),
        is_at_rest: target.is_at_rest,
        ..Settings::of(&target.resources, &target.database)
    };
    checks.extend(Box::pin(services::read(target, &mut settings)).await);
    checks.extend(lambda::read(target, keys.access_key_id(), &mut settings).await);
    checks.extend(settings.contradictions());
    checks
}

fn database(choice: &Choice, database: &Database) -> Check {
    let name = database.display_name();
    match database.is_up_to_date() {
        Ok(true) => Check::ok("database", format!("{name}, its tables up to date")),
        Ok(false) => Check::fail(
            "database",
            format!("Baton's tables in {name} are missing, or of an older version"),
            choice.commands.line("migrate"),
        ),
        Err(failure) => {
            let advice = match &failure {
                Failure::Named { name: FailureName::DatabaseMisconfigured, .. } => {
                    "do what the failure names"
                }
                _ => "start it, or correct the URL of the database",
            };
            Check::fail("database", failure.to_string(), advice)
        }
    }
}
