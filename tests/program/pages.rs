//! What the program itself answers over HTTP.

use crate::support::{Client, Server};

#[test]
fn health_metrics_and_the_authority() {
    let server = Server::start(&["ann"]);
    assert_eq!(server.get("/healthz").0, 200);
    assert_eq!(server.get("/readyz").0, 200);
    let (status, page) = server.get("/ca.pem");
    assert_eq!(status, 200);
    let file = std::fs::read_to_string(server.data().join("ca.pem")).unwrap();
    assert!(page.contains(file.trim()), "{page}");
    for path in ["/ca", "/metrics/x", "/api/v1/openapi.json"] {
        assert_eq!(server.get(path).0, 404, "{path}");
    }
    for path in ["/metrics", "/healthz", "/readyz", "/ca.pem"] {
        for method in ["POST", "PUT", "DELETE"] {
            let (status, answer) = server.http(method, path);
            assert_eq!(status, 405, "{method} {path}");
            let answer = answer.to_ascii_lowercase();
            let allow = answer
                .lines()
                .any(|line| line.starts_with("allow: get, head"));
            assert!(allow, "{answer}");
        }
        assert_eq!(server.http("HEAD", path).0, 200);
    }
    let ann = Client::online(&server, "ann", "desk");
    let value = |name: &str| {
        let (_, page) = server.get("/metrics");
        let line = page
            .lines()
            .find(|line| line.split([' ', '{']).next() == Some(name));
        let line = line.unwrap_or_else(|| panic!("{name} is missing:\n{page}"));
        line.rsplit(' ').next().unwrap().parse::<f64>().unwrap()
    };
    let page = server.get("/metrics").1;
    let names: Vec<&str> = page
        .lines()
        .filter(|line| line.starts_with("adsum_"))
        .map(|line| line.split([' ', '{']).next().unwrap())
        .collect();
    assert!(names.len() >= 5, "{page}");
    for name in &names {
        assert!(value(name).is_finite(), "{name}");
        assert!(page.contains(&format!("# HELP {name} ")), "{name}");
        assert!(page.contains(&format!("# TYPE {name} ")), "{name}");
    }
    ann.close();
}
