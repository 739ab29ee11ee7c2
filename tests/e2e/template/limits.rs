//! The limits that the template's parameters may have together: what its Rules let pass, multiplied out.

use serde_json::Value;

use super::Template;

/// The values that a parameter may have.
fn values(parameter: &str) -> Vec<i64> {
    let values = &Template::read().source["Parameters"][parameter]["AllowedValues"];
    values
        .as_array()
        .unwrap_or_else(|| panic!("{parameter} is no list"))
        .iter()
        .map(|value| value.as_i64().unwrap())
        .collect()
}

fn default(parameter: &str) -> i64 {
    Template::read().source["Parameters"][parameter]["Default"].as_i64().unwrap()
}

/// Whether every rule that is about parameters alone accepts these values. Only what the rules use is understood.
fn is_accepted(given: &[(&str, i64)]) -> bool {
    let value = |reference: &Value| {
        let name = reference["Ref"].as_str().unwrap();
        given
            .iter()
            .find(|(known, _)| *known == name)
            .map_or_else(|| default(name), |(_, value)| *value)
            .to_string()
    };
    let rules = Template::read().transformed["Rules"].as_object().unwrap();
    let is_of_limits = |name: &str| name != "SubnetsAreInTheVpc" && !name.starts_with("Database");
    rules.iter().filter(|(name, _)| is_of_limits(name)).all(|(name, rule)| {
        let condition = rule["RuleCondition"]["Fn::Equals"].as_array().unwrap_or_else(|| panic!("{name}"));
        if value(&condition[0]) != condition[1].as_str().unwrap() {
            return true;
        }
        let mut assertions = rule["Assertions"].as_array().unwrap().iter();
        assertions.all(|assertion| {
            let contains = assertion["Assert"]["Fn::Contains"].as_array().unwrap_or_else(|| panic!("{name}"));
            let value = value(&contains[1]);
            contains[0].as_array().unwrap().iter().any(|allowed| allowed.as_str().unwrap() == value)
        })
    })
}

/// Fits every heartbeat, where a pair of values has no lease of its own.
const LONGEST_LEASE: (&str, i64) = ("LeaseSeconds", 600);

/// Each pair of values is accepted exactly where it fits.
fn accepts_exactly(one: &str, other: &str, fits: impl Fn(i64, i64) -> bool) {
    let mut outcomes = [0, 0];
    for a in values(one) {
        for b in values(other) {
            assert_eq!(
                is_accepted(&[(one, a), (other, b), LONGEST_LEASE]),
                fits(a, b),
                "{one} {a}, {other} {b}"
            );
            outcomes[usize::from(fits(a, b))] += 1;
        }
    }
    assert!(
        outcomes.iter().all(|count| *count > 0),
        "{one} and {other} cannot contradict each other: no rule is needed"
    );
}

#[test]
fn the_rules_refuse_exactly_the_limits_that_contradict_each_other() {
    assert!(is_accepted(&[]), "the defaults contradict each other");
    accepts_exactly("LambdaTimeoutSeconds", "QueueVisibilitySeconds", |timeout, hidden| {
        hidden >= 6 * timeout
    });
    accepts_exactly("RunTimeoutSeconds", "HoldSeconds", |timeout, hold| hold > timeout);
    accepts_exactly("HeartbeatIntervalSeconds", "HeartbeatSeconds", |interval, heartbeat| {
        heartbeat > 3 * interval
    });
    accepts_exactly("LeaseSeconds", "HeartbeatSeconds", |lease, heartbeat| lease >= heartbeat);
}

#[test]
fn the_rules_ask_for_all_that_a_way_to_log_in_needs() {
    let rules = &Template::read().transformed["Rules"];
    for (rule, way, needed) in [
        ("DatabaseBySecret", "secret", &["DatabaseUrlSecretArn"][..]),
        ("DatabaseByIam", "iam", &["DatabaseHost", "DatabaseName", "DatabaseUser", "DatabaseResourceId"]),
    ] {
        let condition = serde_json::json!({"Fn::Equals": [{"Ref": "DatabaseAuthentication"}, way]});
        assert_eq!(rules[rule]["RuleCondition"], condition);
        let asked: Vec<_> =
            rules[rule]["Assertions"].as_array().unwrap().iter().map(|one| one["Assert"].clone()).collect();
        let given = |name: &&str| serde_json::json!({"Fn::Not": [{"Fn::Equals": [{"Ref": name}, ""]}]});
        assert_eq!(asked, needed.iter().map(given).collect::<Vec<_>>());
    }
}

#[test]
fn the_rules_refuse_exactly_the_tasks_that_fargate_does_not_have() {
    // Source: "Amazon ECS task definition parameters for Fargate", task size.
    accepts_exactly("TaskCpu", "TaskMemory", |cpu, memory| match cpu {
        256 => [512, 1024, 2048].contains(&memory),
        512 => (1024..=4096).contains(&memory),
        1024 => (2048..=8192).contains(&memory),
        2048 => (4096..=16384).contains(&memory),
        _ => (8192..=30720).contains(&memory),
    });
}

#[test]
fn what_no_rule_says_holds_for_every_value_of_the_lists() {
    let (least, most) =
        (|of| values(of).into_iter().min().unwrap(), |of| values(of).into_iter().max().unwrap());
    // A worker that hangs is noticed before its time is up.
    assert!(most("StallLimitSeconds") + most("HeartbeatSeconds") < least("RunTimeoutSeconds"));
    // A pause between two beats is no stall.
    assert!(least("StallLimitSeconds") >= most("HeartbeatIntervalSeconds"));
    // The worker refuses a lease that two beats do not renew.
    assert!(least("LeaseSeconds") >= 2 * most("HeartbeatIntervalSeconds"));
    // SQS counts 12 hours from the receive, which was a little before the message is held.
    assert!(most("HoldSeconds") <= 12 * 60 * 60 - most("QueueVisibilitySeconds"));
    let receives = &Template::read().source["Parameters"]["MaxReceiveCount"];
    assert!(receives["MinValue"].as_i64().unwrap() >= 5 && receives["Default"].as_i64().unwrap() >= 5);
    // Files live longer than the executions that a redrive may want to read them for.
    assert!(Template::read().source["Parameters"]["ObjectExpirationDays"]["MinValue"].as_i64().unwrap() > 14);
}
