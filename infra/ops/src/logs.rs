//! What the workers of one import logged: its containers ([`containers`]), and the lines of each from CloudWatch Logs ([`read`]).

pub mod containers;
pub mod line;
pub mod read;
