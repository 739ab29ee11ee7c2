//! The command line of the verbs that look after a set-up: `doctor`, `migrate`, `completions`.

use clap::Args;
use clap_complete::Shell;

#[derive(Args)]
#[command(after_help = DOCTOR_EXAMPLES)]
pub(crate) struct DoctorArguments {}

#[derive(Args)]
#[command(after_help = MIGRATE_EXAMPLES)]
pub(crate) struct MigrateArguments {
    /// Change nothing; the exit code is 1 where a migration is missing
    #[arg(long)]
    pub(crate) check: bool,
}

#[derive(Args)]
#[command(after_help = COMPLETIONS_EXAMPLES)]
pub(crate) struct CompletionsArguments {
    /// The shell
    pub(crate) shell: Shell,
}

const DOCTOR_EXAMPLES: &str = "\
Reads the configuration, the database, and each service by a call that changes nothing. The exit code is 1 where a check fails; a \
warning is none.

Examples:
  baton doctor
  baton doctor --target prod
  baton doctor --json | jq '.checks[] | select(.status != \"ok\")'";

const MIGRATE_EXAMPLES: &str = "\
A deployment's tables are brought up to date by this verb alone; those of an embedded stack by any verb. Migrations only ever \
expand: workers of the version before go on working.

Examples:
  baton migrate --target prod --check    whether something is to be done
  baton migrate --target prod";

const COMPLETIONS_EXAMPLES: &str = "\
Examples:
  baton completions bash > ~/.local/share/bash-completion/completions/baton
  baton completions zsh > ~/.zfunc/_baton
  baton completions fish > ~/.config/fish/completions/baton.fish";
