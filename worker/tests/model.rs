//! A model of how an import is claimed, held, committed and given up, explored whole: every interleaving of the workers of
//! two executions, with crashes, lost replies, lapsing leases, timeouts and redrives at every point.
//!
//! `protocol` says what may happen, `properties` what must hold and that a planted fault is found, `explorer` visits every
//! state. `replay` ties the model to the code: it draws traces from the model and takes the same steps with the functions
//! of `worker::imports` on a real database.

mod explorer;
mod properties;
mod protocol;
mod replay;
mod steps;
