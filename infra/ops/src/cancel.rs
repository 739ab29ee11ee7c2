//! Stops the open executions of imports. What would happen is planned first ([`plan`]), so that it can be said; then it is done,
//! and stayed with until the executions have ended, the workers have left and the messages lie in the dead-letter queue
//! ([`stop`]).

pub mod outcome;
pub mod plan;
pub mod stop;
