//! Finding and reading the configuration: the file, the environment over it, the command line over both.

use std::fmt;
use std::path::{Path, PathBuf};

use super::read::Mistake;
use super::types::Config;
use super::{decide, reference, tree};

/// The file in the working folder.
const HERE: &str = "adsum.toml";
/// The file of the machine.
const MACHINE: &str = "/etc/adsum/adsum.toml";
/// What the names of environment variables begin with.
const PREFIX: &str = "ADSUM__";

/// A configuration with what is worth saying about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loaded {
    /// The decided configuration.
    pub config: Config,
    /// The file it came from, if there is one.
    pub file: Option<PathBuf>,
    /// Keys that were set and have no effect in this version.
    pub without_effect: Vec<String>,
}

impl Loaded {
    /// The sentence about keys that were set and have no effect in this version, if there are any.
    pub fn notice(&self) -> Option<String> {
        let keys = self.without_effect.join(", ");
        (!keys.is_empty()).then(|| format!("These keys have no effect yet: {keys}."))
    }
}

/// Every mistake of a configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistakes(pub Vec<Mistake>);

impl fmt::Display for Mistakes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, mistake) in self.0.iter().enumerate() {
            if at > 0 {
                f.write_str("\n")?;
            }
            mistake.fmt(f)?;
        }
        Ok(())
    }
}

impl std::error::Error for Mistakes {}

/// What the command line says about the configuration.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Choice {
    /// `--config`
    pub file: Option<PathBuf>,
    /// `--data`
    pub data: Option<PathBuf>,
}

/// Reads the configuration: the chosen file, else `adsum.toml`, else `/etc/adsum/adsum.toml`, else none; then the
/// variables `ADSUM__SECTION__KEY` of `environment`; then the data folder of the command line.
pub fn load(
    choice: &Choice,
    environment: impl IntoIterator<Item = (String, String)>,
) -> Result<Loaded, Mistakes> {
    load_first(choice, environment, &[Path::new(HERE), Path::new(MACHINE)])
}

fn load_first(
    choice: &Choice,
    environment: impl IntoIterator<Item = (String, String)>,
    usual: &[&Path],
) -> Result<Loaded, Mistakes> {
    let file = choice.file.clone().or_else(|| {
        usual
            .iter()
            .find(|path| path.exists())
            .map(|path| path.to_path_buf())
    });
    let text = match &file {
        Some(path) => std::fs::read_to_string(path).map_err(|error| unreadable(path, &error))?,
        None => String::new(),
    };
    let mut loaded = parse(&text, file.as_deref(), environment)?;
    if let Some(data) = &choice.data {
        loaded.config.data.clone_from(data);
    }
    Ok(loaded)
}

/// Decides a configuration from the text of a file; `file` is its name for messages and for relative paths.
pub fn parse(
    text: &str,
    file: Option<&Path>,
    environment: impl IntoIterator<Item = (String, String)>,
) -> Result<Loaded, Mistakes> {
    let name = file.map_or_else(
        || "adsum.toml".to_owned(),
        |path| path.display().to_string(),
    );
    let folder = file.and_then(Path::parent).unwrap_or(Path::new(""));
    let (mut root, syntax) = tree::parse(text);
    if !syntax.is_empty() {
        // What was meant by the rest is a guess while the file itself cannot be read.
        let mistake = |error: tree::SyntaxError| Mistake {
            place: format!("{name}:{}", error.line),
            message: format!(
                "this is not valid TOML: {}; correct the line.",
                error.message
            ),
        };
        return Err(Mistakes(syntax.into_iter().map(mistake).collect()));
    }
    let mut variables: Vec<(String, String)> = environment
        .into_iter()
        .filter(|(name, _)| name.starts_with(PREFIX))
        .collect();
    variables.sort();
    for (variable, value) in variables {
        let path: Vec<String> = variable[PREFIX.len()..]
            .split("__")
            .map(str::to_lowercase)
            .collect();
        root.put_environment(&path, &variable, &value);
    }
    let (config, mistakes) = decide::decide(&root, &name, folder);
    if !mistakes.is_empty() {
        return Err(Mistakes(mistakes));
    }
    Ok(Loaded {
        config,
        file: file.map(Path::to_path_buf),
        without_effect: decide::without_effect(&root),
    })
}

/// The configuration where nothing is set.
pub fn defaults() -> Config {
    match parse(&reference::toml(), None, []) {
        Ok(loaded) => loaded.config,
        Err(mistakes) => panic!("the defaults must be valid: {mistakes}"),
    }
}

fn unreadable(path: &Path, error: &std::io::Error) -> Mistakes {
    let message = match error.kind() {
        std::io::ErrorKind::NotFound => {
            "this configuration file does not exist; name another with --config, or make it with `adsum config`.".to_owned()
        }
        std::io::ErrorKind::PermissionDenied => "this configuration file may not be read; run as its owner or change its mode.".to_owned(),
        std::io::ErrorKind::InvalidData => "this configuration file is not UTF-8 text; save it as UTF-8.".to_owned(),
        _ => format!("this configuration file cannot be read ({error}); name another with --config."),
    };
    Mistakes(vec![Mistake {
        place: path.display().to_string(),
        message,
    }])
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::super::types::{AliasAddress, DigestAlgorithm, SameDomain};
    use super::*;
    use proptest::prelude::*;
    use std::time::Duration;

    const NOTHING: [(String, String); 0] = [];

    fn mistakes(text: &str) -> Vec<String> {
        match parse(text, Some(Path::new("a.toml")), NOTHING) {
            Ok(loaded) => panic!("no mistake found: {loaded:?}"),
            Err(mistakes) => mistakes.0.iter().map(ToString::to_string).collect(),
        }
    }

    fn variables(all: &[(&str, &str)]) -> Vec<(String, String)> {
        all.iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect()
    }

    #[test]
    fn nothing_set_gives_the_defaults() {
        let loaded = parse("", None, NOTHING).unwrap();
        assert_eq!(loaded.config, defaults());
        assert_eq!(loaded.config.data, Path::new("adsum-data"));
        assert_eq!(loaded.config.limits.stanza_size, 256 * 1024);
        assert_eq!(
            loaded.config.limits.publish_expires.max,
            Duration::from_secs(86_400)
        );
        assert!(loaded.without_effect.is_empty());
    }

    #[test]
    fn every_mistake_is_reported_with_its_line_and_the_way_out() {
        let found = mistakes(
            "domains = [\"a b\"]\nlimts = 1\n[xmpp]\nclinet = []\nrequire_tls = \"yes\"\nstanza_size = \"1KiB\"\n[limits]\nstanza_size = \"1KB\"\npublish_expires = { min = \"2h\", maxi = \"3h\" }\n[[aliases]]\naccount = \"ann@nowhere.example\"\n",
        );
        let expected = [
            "a.toml:2: limts is not a known key; the nearest one is limits.",
            "a.toml:4: xmpp.clinet is not a known key; the nearest one is xmpp.client.",
            "a.toml:6: xmpp.stanza_size is not a known key; it belongs into the section [limits].",
            "a.toml:9: limits.publish_expires.maxi is not a known key; the nearest one is limits.publish_expires.max.",
            "a.toml:1: domains holds \"a b\", which is not a valid domain name.",
            "a.toml:5: xmpp.require_tls must be true or false, not a text.",
            "a.toml:8: limits.stanza_size must be a size such as \"256KiB\", from 1KiB to 16MiB.",
            "a.toml:9: limits.publish_expires must have min <= default <= max, not 2h, 1h, 1d; write all three.",
            "a.toml:11: account of [[aliases]] \"ann@nowhere.example\" is not of a domain served here; add its domain to domains.",
            "a.toml:10: [[aliases]] needs the key addresses; add it, or remove the entry.",
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn syntax_mistakes_come_with_lines() {
        let found = mistakes("domains = [\"x\"]\n[xmpp\nclient = []\n[log]\nlevel = info\n");
        assert!(
            found[0].starts_with("a.toml:2: this is not valid TOML"),
            "{found:?}"
        );
        assert!(
            found.iter().any(|mistake| mistake.starts_with("a.toml:5:")),
            "{found:?}"
        );
    }

    #[test]
    fn ports_are_used_once() {
        let found = mistakes(
            "[xmpp]\nclient = [\"127.0.0.1:7000\"]\n[http]\nlisten = [\"127.0.0.1:7000\"]\n",
        );
        assert_eq!(
            found,
            [
                "a.toml:4: xmpp.client and http.listen both name 127.0.0.1:7000; give one of them another port."
            ]
        );
        assert!(
            parse(
                "[xmpp]\nclient = [\"[::]:0\"]\n[sip]\ntcp = [\"[::]:0\"]\n",
                None,
                NOTHING
            )
            .is_ok()
        );
    }

    #[test]
    fn the_environment_overrides_the_file() {
        let environment = variables(&[
            ("ADSUM__DOMAINS", "one.example,two.example"),
            ("ADSUM__DATA", "/srv/adsum"),
            ("ADSUM__XMPP__REQUIRE_TLS", "false"),
            ("ADSUM__LIMITS__PUBLISH_EXPIRES__MAX", "12h"),
            ("ADSUM__PRESENCE__SAME_DOMAIN", "ask"),
            ("ADSUM__SIP__DIGEST", "[\"md5\", \"sha-256\"]"),
            ("HOME", "/root"),
        ]);
        let text = "domains = [\"x.example\"]\n[limits]\npublish_expires = { min = \"30s\" }\n";
        let config = parse(text, Some(Path::new("/etc/a.toml")), environment)
            .unwrap()
            .config;
        assert_eq!(
            config
                .domains
                .iter()
                .map(|d| d.ascii.as_str())
                .collect::<Vec<_>>(),
            ["one.example", "two.example"]
        );
        assert_eq!(config.data, Path::new("/srv/adsum"));
        assert!(!config.xmpp.require_tls);
        assert_eq!(config.limits.publish_expires.min, Duration::from_secs(30));
        assert_eq!(
            config.limits.publish_expires.max,
            Duration::from_secs(43_200)
        );
        assert_eq!(config.presence.same_domain, SameDomain::Ask);
        assert_eq!(
            config.sip.digest,
            [DigestAlgorithm::Sha256, DigestAlgorithm::Md5]
        );
    }

    #[test]
    fn mistakes_of_the_environment_name_the_variable() {
        let environment = variables(&[
            ("ADSUM__XMPP__CLINET", "x"),
            ("ADSUM__LOG__LEVEL", "loud"),
            ("ADSUM__PEERS", "x"),
            ("ADSUM__SIP", "x"),
        ]);
        let Err(found) = parse("", None, environment) else {
            panic!("mistakes are expected")
        };
        let mut places: Vec<&str> = found
            .0
            .iter()
            .map(|mistake| mistake.place.as_str())
            .collect();
        places.sort_unstable();
        assert_eq!(
            places,
            [
                "ADSUM__LOG__LEVEL",
                "ADSUM__PEERS",
                "ADSUM__SIP",
                "ADSUM__XMPP__CLINET"
            ]
        );
    }

    #[test]
    fn relative_paths_count_from_the_file() {
        let text = "[tls]\ncertificate = \"full.pem\"\nkey = \"/keys/key.pem\"\n";
        let config = parse(text, Some(Path::new("/etc/adsum/adsum.toml")), NOTHING)
            .unwrap()
            .config;
        assert_eq!(config.data, Path::new("/etc/adsum/adsum-data"));
        assert_eq!(
            config.tls.files[0].certificate,
            Path::new("/etc/adsum/full.pem")
        );
        assert_eq!(config.tls.files[0].key, Path::new("/keys/key.pem"));
    }

    #[test]
    fn keys_without_effect_are_named_when_set() {
        let text = "[xmpp]\nserver = []\narchive = \"off\"\nrooms = \"rooms.{domain}\"\nregistration = \"open\"\n[sip]\nregister = \"local\"\n[[peers]]\ndomain = \"x.example\"\nprotocol = \"sip\"\naddress = \"udp:192.0.2.7:5060\"\n";
        let loaded = parse(
            text,
            None,
            variables(&[
                ("ADSUM__HTTP__PLATFORM", "true"),
                ("ADSUM__HTTP__APP", "/srv/app"),
                ("ADSUM__XMPP__COMPONENTS", "[]"),
            ]),
        )
        .unwrap();
        assert_eq!(
            loaded.without_effect,
            ["xmpp.registration", "xmpp.rooms", "http.platform", "peers"]
        );
        assert!(
            loaded
                .notice()
                .unwrap()
                .ends_with(": xmpp.registration, xmpp.rooms, http.platform, peers.")
        );
        assert_eq!(parse("", None, NOTHING).unwrap().notice(), None);
    }

    #[test]
    fn lists_are_read() {
        let text = "domains = [\"office.example\"]\n[[aliases]]\naccount = \"Ann@office.example\"\naddresses = [\"101\", \"tel:+49 30\"]\n";
        assert_eq!(mistakes(text).len(), 1);
        let text = text.replace("+49 30", "+4930");
        let alias = parse(&text, None, NOTHING)
            .unwrap()
            .config
            .aliases
            .remove(0);
        assert_eq!(alias.account, "ann@office.example");
        assert_eq!(
            alias.addresses,
            [
                AliasAddress::Address("101@office.example".to_owned()),
                AliasAddress::Tel("+4930".to_owned())
            ]
        );
    }

    #[test]
    fn the_first_file_that_is_there_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let (first, second) = (
            folder.path().join("first.toml"),
            folder.path().join("second.toml"),
        );
        std::fs::write(&second, "domains = [\"second.example\"]").unwrap();
        let usual = [first.as_path(), second.as_path()];
        let choice = Choice::default();
        assert_eq!(
            load_first(&choice, NOTHING, &usual)
                .unwrap()
                .file
                .as_deref(),
            Some(second.as_path())
        );
        std::fs::write(&first, "domains = [\"first.example\"]").unwrap();
        assert_eq!(
            load_first(&choice, NOTHING, &usual).unwrap().config.domains[0].ascii,
            "first.example"
        );
        let choice = Choice {
            file: Some(folder.path().join("none.toml")),
            data: None,
        };
        assert!(
            load_first(&choice, NOTHING, &usual)
                .unwrap_err()
                .to_string()
                .contains("does not exist")
        );
        let choice = Choice {
            file: None,
            data: Some(PathBuf::from("elsewhere")),
        };
        assert_eq!(
            load_first(&choice, NOTHING, &usual).unwrap().config.data,
            Path::new("elsewhere")
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]
        #[test]
        fn any_file_is_read_or_explained(text in "(\\[(xmpp|limits|tls)\\]\n|[a-z_]{1,8} = (\"[a-z0-9:]{0,6}\"|[0-9]{1,12}|\\[\\]|\\{ min = 1 \\})\n){0,6}") {
            if let Err(mistakes) = parse(&text, None, NOTHING) {
                prop_assert!(!mistakes.0.is_empty());
            }
        }
    }
}
