use super::*;
use crate::target::config::DatabaseUrl;

fn config(default: Option<&str>) -> Config {
    let local = Configured::Local { data_dir: "/srv/stack".into(), database: None };
    let arn = |kind: &str| format!("arn:aws:states:eu-west-1:123456789012:stateMachine:{kind}");
    let deployment = Deployment {
        region: "eu-west-1".to_owned(),
        profile: None,
        endpoint_url: None,
        resources: local_stack::Resources {
            queue_url: "https://q".to_owned(),
            lane_queue_url: None,
            dead_letter_queue_url: "https://d".to_owned(),
            import_state_machine_arn: arn("import"),
            dead_letter_state_machine_arn: arn("dead-letter"),
            bucket: "b".to_owned(),
            cluster_arn: "c".to_owned(),
            worker_log_group: "g".to_owned(),
        },
        database: DatabaseUrl::Written("postgres://prod/rows".to_owned()),
    };
    Config {
        path: "/srv/baton.toml".into(),
        default: default.map(str::to_owned),
        targets: vec![
            ("laptop".to_owned(), local),
            ("prod".to_owned(), Configured::Aws(Box::new(deployment))),
        ],
    }
}

fn asked<'a>() -> Asked<'a> {
    Asked {
        program: "baton",
        target: (None, Said::Nowhere),
        config: (None, Said::Nowhere),
        data_dir: (Path::new(".baton"), Said::Nowhere),
        database_url: (None, Said::Nowhere),
    }
}

/// The options that name the same system.
fn named_again(choice: &Choice) -> String {
    choice.commands.line("").strip_prefix("baton ").unwrap().to_owned()
}

fn name_of(choice: &Choice) -> Option<&str> {
    choice.chosen.name.as_deref()
}

#[test]
fn without_a_file_it_is_the_embedded_stack_in_the_folder() {
    let choice = among(&asked(), None).unwrap();
    assert!(matches!(choice.chosen.kind, Kind::Local));
    assert_eq!((choice.data_dir.as_os_str().to_str(), named_again(&choice).as_str()), (Some(".baton"), ""));
    let other = Asked { data_dir: (Path::new("x"), Said::InEnvironment), ..asked() };
    assert_eq!(named_again(&among(&other, None).unwrap()), " --data-dir x");
}

#[test]
fn what_is_typed_comes_before_the_environment_and_that_before_the_file() {
    let config = config(Some("laptop"));
    let chosen = |asked: &Asked<'_>| name_of(&among(asked, Some(&config)).unwrap()).map(str::to_owned);
    assert_eq!(chosen(&asked()).as_deref(), Some("laptop"));
    let by = |said| Asked { target: (Some("prod"), said), ..asked() };
    assert_eq!(chosen(&by(Said::Typed)).as_deref(), Some("prod"));
    assert_eq!(chosen(&by(Said::InEnvironment)).as_deref(), Some("prod"));
    let folder = |target, said| Asked { target, data_dir: (Path::new("x"), said), ..asked() };
    assert_eq!(chosen(&folder((None, Said::Nowhere), Said::InEnvironment)), None);
    assert_eq!(chosen(&folder((Some("prod"), Said::InEnvironment), Said::Typed)), None);
    assert_eq!(
        chosen(&folder((Some("prod"), Said::InEnvironment), Said::InEnvironment)).as_deref(),
        Some("prod")
    );
    let both = folder((Some("prod"), Said::Typed), Said::Typed);
    assert!(among(&both, Some(&config)).unwrap_err().to_string().contains("two systems"));
}

#[test]
fn a_command_that_is_suggested_names_the_same_system() {
    let typed = Asked { target: (Some("prod"), Said::Typed), ..asked() };
    let retold = |asked: &Asked<'_>, config: &Config| named_again(&among(asked, Some(config)).unwrap());
    assert_eq!(retold(&typed, &config(None)), " --target prod");
    assert_eq!(retold(&typed, &config(Some("prod"))), "");
    let with_file = Asked { config: (Some(Path::new("/srv/baton.toml")), Said::Typed), ..typed };
    assert_eq!(retold(&with_file, &config(None)), " --target prod --config /srv/baton.toml");
    // The file's default would be another system than the folder that is meant.
    let folder = Asked { data_dir: (Path::new(".baton"), Said::Typed), ..asked() };
    assert_eq!(retold(&folder, &config(Some("prod"))), " --data-dir .baton");
}

#[test]
fn a_command_that_is_suggested_names_the_database_that_was_typed_and_never_its_password() {
    let retold = |url, said| {
        let asked = Asked { database_url: (Some(url), said), ..asked() };
        named_again(&among(&asked, None).unwrap())
    };
    let typed = |url| retold(url, Said::Typed);
    assert_eq!(typed("sqlite:other.db"), " --database-url sqlite:other.db");
    assert_eq!(typed("sqlite:my rows.db"), " --database-url 'sqlite:my rows.db'");
    assert_eq!(typed("postgres://joe@host:5433/rows"), " --database-url postgres://joe@host:5433/rows");
    assert_eq!(
        typed("postgresql://joe:hunter2@host/rows?sslmode=disable"),
        " --database-url 'postgresql://joe:PASSWORD@host/rows?sslmode=disable'"
    );
    assert_eq!(
        typed("postgres://host/rows?password=hunter2&user=joe"),
        " --database-url 'postgres://host/rows?password=PASSWORD&user=joe'"
    );
    // No URL, which is said before anything else.
    assert_eq!(typed("postgres://joe:hunter2/2@host/rows"), " --database-url URL");
    assert_eq!(retold("sqlite:other.db", Said::InEnvironment), "");
    let all = Asked {
        target: (Some("prod"), Said::Typed),
        config: (Some(Path::new("/srv/baton.toml")), Said::Typed),
        database_url: (Some("sqlite:x.db"), Said::Typed),
        ..asked()
    };
    assert_eq!(
        named_again(&among(&all, Some(&config(None))).unwrap()),
        " --target prod --config /srv/baton.toml --database-url sqlite:x.db"
    );
    let folder = Asked { data_dir: (Path::new("a b"), Said::Typed), ..asked() };
    assert_eq!(named_again(&among(&folder, None).unwrap()), " --data-dir 'a b'");
}

#[test]
fn a_database_url_of_the_environment_is_not_a_deployments() {
    let url = |said| {
        let database_url = (Some("sqlite:laptop.db"), said);
        let asked = Asked { target: (Some("prod"), Said::Typed), database_url, ..asked() };
        match among(&asked, Some(&config(None))).unwrap().chosen.kind {
            Kind::Aws(_, url) => url,
            Kind::Local => panic!("the target is a deployment"),
        }
    };
    assert_eq!(url(Said::InEnvironment), "postgres://prod/rows");
    assert_eq!(url(Said::Typed), "sqlite:laptop.db");
}

#[test]
fn a_target_without_a_file_says_what_is_missing() {
    let asked = Asked { target: (Some("prod"), Said::InEnvironment), ..asked() };
    let said = among(&asked, None).unwrap_err().to_string();
    assert!(said.contains("no baton.toml") && said.contains("--config"), "{said}");
}
