//! Whom a service lets in, and what it refuses.

use highwater_engine::view::serve::ServeError;
use highwater_engine::view::strategy::BOUNDED;

use super::*;

#[tokio::test]
async fn only_who_has_the_token_and_no_other_page_gets_in() {
    let bench = bench(BOUNDED).await;
    let host = format!("Host: {}\r\n", bench.service.address());
    let token = format!("Authorization: Bearer {TOKEN}\r\n");
    let paths = ["/event", "/session", "/session/ses_1/message", "/state"];
    for path in paths {
        for (headers, status, code) in [
            (host.clone(), 401, "NO_TOKEN"),
            (format!("{host}Authorization: Bearer {TOKEN}0\r\n"), 401, "WRONG_TOKEN"),
            (format!("Host: example.org\r\n{token}"), 403, "WRONG_HOST"),
            (format!("{host}{token}Origin: http://example.org\r\n"), 403, "WRONG_ORIGIN"),
        ] {
            let (answered, _, body) = bench.raw(request("GET", path, &headers, None)).await;
            assert_eq!((answered, body["error"]["code"].as_str()), (status, Some(code)), "{path} {headers}");
        }
    }
    assert_eq!(bench.clients(), 0);
    let wrong = Client::new(bench.service.address(), "not the token of this service", Limits::default());
    let refused = wrong.events(&[]).await.err().unwrap().to_string();
    assert_eq!(refused, "GET /event is refused with 401: the token is not that of this service");
    assert_eq!(bench.ask("GET", "/nothing", None).await.0, 404);
    assert_eq!(bench.ask("PUT", "/session", None).await.0, 405);
    assert_eq!(bench.ask("GET", "/session", None).await.0, 200);
}

#[tokio::test]
async fn a_service_is_for_this_machine_and_has_a_token() {
    let folder = TempDir::new().unwrap();
    let options = |token: &str| {
        let server = Server::new(Storage::tree(folder.path()).unwrap(), &BOUNDED, DIRECTORY);
        Options { server, token: token.to_owned(), times: Times::default(), heartbeat: serve::HEARTBEAT }
    };
    let everywhere = serve::listen(SocketAddr::from(([0, 0, 0, 0], 0)), true).await.unwrap();
    let refused = serve::start(everywhere, options(TOKEN)).err();
    assert!(matches!(refused, Some(ServeError::Listen(serve::ListenError::NotLoopback(_)))));
    let here = serve::listen(SocketAddr::from(([127, 0, 0, 1], 0)), false).await.unwrap();
    assert!(matches!(serve::start(here, options("short")).err(), Some(ServeError::WeakToken)));
}

#[tokio::test]
async fn ids_that_lead_elsewhere_are_refused_and_nothing_is_made_of_them() {
    let bench = bench(BOUNDED).await;
    let long = "x".repeat(65);
    let hostile = ["..%2F..%2Fetc%2Fpasswd", "%2e%2e", "a%00b", "a%0Ab", "C%3A%5Cx", "%FF", "a%20b", &long];
    let text = |id: &str| {
        let decoded = percent_encoding::percent_decode_str(id).decode_utf8_lossy().into_owned();
        json!({"id": decoded, "parts": []})
    };
    for id in hostile {
        for (method, path, body) in [
            ("GET", format!("/event?session={id}"), None),
            ("GET", format!("/session/{id}/message"), None),
            ("GET", format!("/session/{S}/message?before={id}"), None),
            ("GET", format!("/session/{S}/message/msg_1/part/{id}"), None),
            ("GET", format!("/session/{S}/message/{id}/part/prt_1"), None),
            ("DELETE", format!("/session/{id}"), None),
            ("POST", format!("/session/{id}/message"), Some(json!({"id": "msg_1", "parts": []}))),
            ("POST", format!("/session/{S}/message"), Some(text(id))),
            ("POST", "/event/interest".to_owned(), Some(json!({"client": 1, "sessions": [text(id)["id"]]}))),
            ("POST", format!("/permission/{id}"), Some(json!({"session": S, "reply": "once"}))),
            ("POST", format!("/question/{id}"), Some(json!({"session": S, "answer": "a"}))),
        ] {
            let (status, _, answer) = bench.ask(method, &path, body).await;
            assert_eq!(status, 400, "{method} {path}: {answer}");
        }
    }
    for path in ["limit=-1", "limit=x", "before=e30"] {
        assert_eq!(bench.ask("GET", &format!("/session/{S}/message?{path}"), None).await.0, 400, "{path}");
    }
    let stored = bench.service.with_server(|server| server.storage().sessions().unwrap().len());
    assert_eq!((stored, bench.clients()), (2, 0));
    assert_eq!(std::fs::read_dir(bench.folder.path().join("storage")).map_or(0, Iterator::count), 0);
}
