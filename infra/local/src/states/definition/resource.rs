//! What a Task state calls.

use serde::{Deserialize, Serialize};

/// A service integration that the stack has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Resource {
    /// `arn:aws:states:::aws-sdk:sqs:changeMessageVisibility`
    SqsChangeMessageVisibility,
    /// `arn:aws:states:::aws-sdk:sqs:deleteMessage`
    SqsDeleteMessage,
    /// `arn:aws:states:::sqs:sendMessage`
    SqsSendMessage,
    /// `arn:aws:states:::aws-sdk:sfn:describeExecution`
    SfnDescribeExecution,
    /// `arn:aws:states:::aws-sdk:sfn:startExecution`
    SfnStartExecution,
    /// `arn:aws:states:::ecs:runTask.sync`
    EcsRunTaskSync,
}

impl Resource {
    const ALL: [Self; 6] = [
        Self::SqsChangeMessageVisibility,
        Self::SqsDeleteMessage,
        Self::SqsSendMessage,
        Self::SfnDescribeExecution,
        Self::SfnStartExecution,
        Self::EcsRunTaskSync,
    ];

    /// The resource of this ARN.
    #[must_use]
    pub fn of_arn(arn: &str) -> Option<Self> {
        let service = arn.strip_prefix("arn:aws:states:::")?;
        Self::ALL.into_iter().find(|resource| {
            let (resource_type, name) = resource.parts();
            service.strip_prefix(resource_type).and_then(|rest| rest.strip_prefix(':')) == Some(name)
        })
    }

    /// The service, as events name it: `aws-sdk:sqs`.
    #[must_use]
    pub fn resource_type(self) -> &'static str {
        self.parts().0
    }

    /// The operation, as events name it: `runTask.sync`.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.parts().1
    }

    /// Whether this resource's tasks have a token. Those of `.sync` may be ended by whoever holds it.
    #[must_use]
    pub fn has_token(self) -> bool {
        self.is_job()
    }

    /// Whether the call starts a job that is then waited for, and stopped where nobody waits any longer.
    #[must_use]
    pub fn is_job(self) -> bool {
        matches!(self, Self::EcsRunTaskSync)
    }

    fn parts(self) -> (&'static str, &'static str) {
        match self {
            Self::SqsChangeMessageVisibility => ("aws-sdk:sqs", "changeMessageVisibility"),
            Self::SqsDeleteMessage => ("aws-sdk:sqs", "deleteMessage"),
            Self::SqsSendMessage => ("sqs", "sendMessage"),
            Self::SfnDescribeExecution => ("aws-sdk:sfn", "describeExecution"),
            Self::SfnStartExecution => ("aws-sdk:sfn", "startExecution"),
            Self::EcsRunTaskSync => ("ecs", "runTask.sync"),
        }
    }
}
