//! The command line of `console`.

use std::net::{IpAddr, Ipv4Addr};

use clap::Args;

/// The port of the console where no other is asked for: the one after the embedded stack's.
pub(crate) const CONSOLE_PORT: u16 = 4567;

#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct ConsoleArguments {
    /// The port to listen on; 0 takes a free one
    #[arg(long, value_name = "PORT", default_value_t = CONSOLE_PORT)]
    pub(crate) port: u16,
    /// The address to listen on; any other than this machine's own (127.0.0.1, ::1) asks visitors for a token
    #[arg(long, value_name = "ADDR", default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
    pub(crate) listen: IpAddr,
    /// A name that the console is called by, besides its address and localhost; may be repeated
    #[arg(long = "host-name", value_name = "NAME")]
    pub(crate) host_names: Vec<String>,
    #[command(flatten)]
    pub(crate) token: ConsoleToken,
}

/// What visitors of the console have to know.
#[derive(Args)]
pub(crate) struct ConsoleToken {
    // Of the environment alone: a command line can be read by everybody on the machine.
    #[arg(long, hide = true, env = "BATON_CONSOLE_TOKEN", hide_env_values = true)]
    console_token: Option<String>,
}

impl ConsoleToken {
    /// The token, where one is set.
    pub(crate) fn text(&self) -> Option<&str> {
        self.console_token.as_deref()
    }
}

const EXAMPLES: &str = "\
The console listens on 127.0.0.1 and is open to whoever is on this machine. On any other address, and wherever \
BATON_CONSOLE_TOKEN is set, visitors need that token; where it is not set, one is made and printed.

Examples:
  baton console                                          on http://127.0.0.1:4567/
  baton console --port 0                                 on a free port
  baton console --listen 0.0.0.0 --host-name ops.local   for other machines, with a token";
