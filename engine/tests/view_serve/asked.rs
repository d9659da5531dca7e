//! What is asked for: pages, parts, states, and what a person does.

use std::collections::BTreeSet;

use highwater_engine::view::store::Request;
use highwater_engine::view::strategy::{AS_REPORTED, BOUNDED};

use super::*;

#[tokio::test]
async fn pages_by_cursor_have_each_message_once() {
    for is_tree in [false, true] {
        let folder = TempDir::new().unwrap();
        let storage =
            if is_tree { seeded(Storage::tree(folder.path()).unwrap()) } else { database(folder.path()) };
        let service = started(storage, BOUNDED, (serve::HEARTBEAT, Times::default()), 0).await;
        let bench = Bench { folder, strategy: BOUNDED, service };
        let said: Vec<String> = (0..95).map(|number| format!("msg_{number:04}")).collect();
        bench.service.with_server(|server| {
            said.iter().enumerate().for_each(|(number, id)| say(server, S, id, number as i64));
        });
        let mut client = bench.client();
        let (mut read, mut before, mut pages) = (Vec::new(), None, 0);
        loop {
            let page = client.messages(S, before.as_deref(), 20).await.unwrap();
            let entries: Vec<Value> = serde_json::from_str(&page.body).unwrap();
            assert_eq!(entries.len(), page.messages);
            let ids = entries.iter().map(|entry| entry["info"]["id"].as_str().unwrap().to_owned());
            read.splice(0..0, ids);
            (before, pages) = (page.before, pages + 1);
            if before.is_none() {
                break;
            }
        }
        assert_eq!((read, pages), (said, 5), "tree: {is_tree}");
        // All of them, where that is asked for.
        assert_eq!(client.messages(S, None, 0).await.unwrap().messages, 95);
        let (_, head, page) = bench.ask("GET", &format!("/session/{S}/message"), None).await;
        assert_eq!(page.as_array().map(Vec::len), Some(80));
        assert!(head.contains("x-next-cursor: "), "{head}");
    }
}

#[tokio::test]
async fn a_part_comes_whole_when_it_is_asked_for() {
    let bench = bench(BOUNDED).await;
    let output = "line\n".repeat(100_000);
    let state = json!({"status": "completed", "input": {}, "output": output, "title": "", "metadata": {}});
    bench.service.with_server(|server| {
        say(server, S, "msg_1", 1);
        put(server, S, "msg_1", "prt_1", json!({"type": "tool", "tool": "bash", "state": state}), 1);
    });
    let mut client = bench.client();
    let page = client.messages(S, None, 0).await.unwrap();
    assert!(page.body.len() < 10_000, "{}", page.body.len());
    assert_eq!(client.part(S, "msg_1", "prt_1").await.unwrap()["state"]["output"], output.as_str());
    let (status, _, answer) = bench.ask("GET", &format!("/session/{S}/message/msg_1/part/prt_2"), None).await;
    assert_eq!((status, answer["error"]["code"].as_str()), (404, Some("NO_PART")));
}

#[tokio::test]
async fn what_a_person_does_is_done_and_told() {
    let bench = bench(BOUNDED).await;
    let mut remote = bench.showing(S).await;
    let asked = json!({"id": "per_1", "sessionID": S, "permission": "bash", "patterns": ["ls"]});
    let question = json!({"id": "que_1", "sessionID": S, "questions": []});
    bench.service.with_server(|server| {
        server.ask_permission(asked).unwrap();
        server.ask_question(question).unwrap();
        server.set_status(OTHER, &json!({"type": "busy"})).unwrap();
    });
    run_with(&mut remote, || 0, |view| view.questions().count() == 1).await;
    assert_eq!(remote.view.permissions().collect::<Vec<_>>(), ["per_1"]);
    let (_, _, state) = bench.ask("GET", "/state", None).await;
    assert_eq!(state["asked"].as_array().map(Vec::len), Some(2));
    assert_eq!(state["statuses"], json!({OTHER: {"type": "busy"}, S: {"type": "idle"}}));

    remote.view.type_draft(S, "a prompt");
    let mut requests = remote.view.send(S, S, "msg_1", 7);
    requests.extend(remote.view.reply_permission("per_1", "once"));
    requests.extend(remote.view.reply_question("que_1", "yes"));
    remote.act(requests, 0).await.unwrap();
    run_with(&mut remote, || 0, |view| view.unsent(S).count() == 0).await;
    bench.same(&mut remote, S).await;
    let (_, _, state) = bench.ask("GET", "/state", None).await;
    assert_eq!(state["asked"], json!([]));
    let parts = bench.client().messages(S, None, 0).await.unwrap().body;
    assert!(parts.contains(r#""text":"a prompt""#), "{parts}");

    // A second answer comes too late, and changes nothing.
    let late = Request::ReplyPermission { session: S.into(), id: "per_1".into(), reply: "reject".into() };
    remote.act(vec![late], 0).await.unwrap();
    assert_eq!(remote.refused().count, 1);
    let requests = remote.view.delete_session(S);
    remote.act(requests, 0).await.unwrap();
    let left: BTreeSet<String> = bench.service.with_server(|server| {
        server.sessions().unwrap().iter().map(|session| session["id"].as_str().unwrap().to_owned()).collect()
    });
    assert_eq!(left, BTreeSet::from([OTHER.to_owned()]));
    assert_eq!(bench.ask("DELETE", &format!("/session/{S}"), None).await.0, 404);
}

#[tokio::test]
async fn a_prompt_that_names_another_message_is_refused() {
    let bench = bench(AS_REPORTED).await;
    let part = |session: &str, message: &str| json!({"id": "prt_1", "sessionID": session, "messageID": message, "type": "text", "text": "t"});
    let path = format!("/session/{S}/message");
    for bad in [part(OTHER, "msg_1"), part(S, "msg_2"), json!({"id": "prt_1"}), json!([])] {
        let (status, _, _) = bench.ask("POST", &path, Some(json!({"id": "msg_1", "parts": [bad]}))).await;
        assert_eq!(status, 400);
    }
    assert_eq!(bench.client().messages(S, None, 0).await.unwrap().messages, 0);
    let good = json!({"id": "msg_1", "parts": [part(S, "msg_1")]});
    assert_eq!(bench.ask("POST", &path, Some(good)).await.0, 200);
    assert_eq!(bench.client().messages(S, None, 0).await.unwrap().messages, 1);
    let body = Some(json!({"session": S, "reply": "perhaps"}));
    assert_eq!(bench.ask("POST", "/permission/per_1", body).await.0, 400);
    let nobody = Some(json!({"client": 99, "sessions": [S]}));
    assert_eq!(bench.ask("POST", "/event/interest", nobody).await.0, 404);
}
