use bytes::Bytes;
use sip::{Message, parse};
#[test]
fn show() {
    for dir in ["rfc4475","rfc5118"] {
    let mut names: Vec<_> = std::fs::read_dir(format!("testdata/{dir}")).unwrap().map(|e| e.unwrap().path()).filter(|p| !p.ends_with("INDEX.tsv")).collect();
    names.sort();
    for p in names {
        let data = Bytes::from(std::fs::read(&p).unwrap());
        let n = p.file_name().unwrap().to_str().unwrap();
        match parse(&data) {
            Ok(Message::Request(r)) => println!("{n}: OK {} {}", r.method, r.uri),
            Ok(Message::Response(r)) => println!("{n}: OK {} {}", r.status, r.reason_text()),
            Err(e) => println!("{n}: ERR {} | {:?}", e.fault, e.answer().map(|a| (a.status, a.reason_text().into_owned()))),
        }
    }}
}
