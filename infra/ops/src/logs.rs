//! What the workers of one import logged: its containers ([`runs`]), and the lines of each from CloudWatch Logs ([`read`]).

pub mod line;
pub mod read;
pub mod runs;
