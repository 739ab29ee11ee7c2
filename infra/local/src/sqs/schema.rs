//! The tables of `sqs.db`, as the migrations make them.

diesel::table! {
    queues (id) {
        id -> Integer,
        name -> Text,
        visibility_timeout_s -> BigInt,
        retention_s -> BigInt,
        delay_s -> BigInt,
        maximum_message_bytes -> BigInt,
        wait_s -> BigInt,
        redrive_policy -> Nullable<Text>,
        fifo -> Bool,
        content_based_deduplication -> Bool,
        created_at -> BigInt,
        modified_at -> BigInt,
        purged_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    messages (sequence) {
        sequence -> BigInt,
        queue_id -> Integer,
        message_id -> Text,
        body -> Text,
        attributes -> Text,
        trace_header -> Nullable<Text>,
        group_id -> Nullable<Text>,
        deduplication_id -> Nullable<Text>,
        sent_at -> BigInt,
        visible_at -> BigInt,
        first_received_at -> Nullable<BigInt>,
        receive_count -> BigInt,
        receives_here -> BigInt,
        receipt -> Nullable<Text>,
        source_arn -> Nullable<Text>,
    }
}

diesel::table! {
    deduplications (queue_id, deduplication_id) {
        queue_id -> Integer,
        deduplication_id -> Text,
        message_id -> Text,
        sequence -> BigInt,
        sent_at -> BigInt,
    }
}

diesel::table! {
    move_tasks (id) {
        id -> BigInt,
        source_arn -> Text,
        destination_arn -> Nullable<Text>,
        moved -> BigInt,
        to_move -> BigInt,
        failure_reason -> Nullable<Text>,
        started_at -> BigInt,
    }
}
