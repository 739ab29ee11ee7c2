//! The tables of `migrations/states`.

diesel::table! {
    machines (arn) {
        arn -> Text,
        name -> Text,
        created_ms -> BigInt,
    }
}

diesel::table! {
    revisions (id) {
        id -> BigInt,
        machine_arn -> Text,
        revision_id -> Text,
        created_ms -> BigInt,
        definition -> Text,
    }
}

diesel::table! {
    executions (id) {
        id -> BigInt,
        arn -> Text,
        machine_arn -> Text,
        name -> Text,
        status -> Text,
        started_ms -> BigInt,
        stopped_ms -> Nullable<BigInt>,
        redrive_count -> Integer,
        redriven_ms -> Nullable<BigInt>,
        deadline_ms -> Nullable<BigInt>,
        revision -> BigInt,
        version -> BigInt,
        input -> Text,
        state -> Text,
    }
}

diesel::table! {
    history (execution, id) {
        execution -> BigInt,
        id -> BigInt,
        previous_id -> BigInt,
        at_ms -> BigInt,
        event_type -> Text,
        details -> Text,
    }
}

diesel::table! {
    tokens (token) {
        token -> Text,
        execution -> BigInt,
    }
}

diesel::table! {
    redrives (execution, client_token) {
        execution -> BigInt,
        client_token -> Text,
        redriven_ms -> BigInt,
    }
}
