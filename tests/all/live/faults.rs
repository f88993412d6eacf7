//! Servers that do not answer as they should: what is said, and what is never sent.

use std::time::Duration;

use leaktrend::live::{Access, ServerSelector, Time, Wanted};

use super::scripted::{NOW, Reply, Request, Scripted, Shop, success};
use super::{run, samples, wanted, with};

/// Why nothing was read from a server that always does this.
fn why(fault: impl Fn(&Request, usize) -> Reply + Send + Sync + 'static) -> String {
    run(&wanted(&Scripted::start(fault).address())).why()
}

fn is_range(request: &Request) -> bool {
    request.path.ends_with("/query") && request.query().ends_with("s]")
}

#[test]
fn who_may_not_ask_is_told_how_to_say_who_asks() {
    insta::assert_snapshot!(why(|_, _| Reply::new(401, "Unauthorized")), @"it answered 401 Unauthorized (expected credentials: `--http-config` with `basic_auth` or `authorization`, or `--header`)");
    insta::assert_snapshot!(why(|_, _| Reply::new(403, "")), @"it answered 403 Forbidden (these credentials have no permission to read this)");
    let config =
        Access::new(None, None, &["Authorization: Bearer s3cret-token".to_owned(), "X-Scope-OrgID: shop".to_owned()]);
    let server = with(|request, _| {
        let is_known = request.header("authorization") == Some("Bearer s3cret-token");
        (!is_known || request.header("x-scope-orgid") != Some("shop")).then(|| Reply::new(401, ""))
    });
    let ran = run(&Wanted { access: config.unwrap(), ..wanted(&server.address()) });
    assert_eq!(samples(ran.text()).len(), 720);
    assert!(!ran.text().contains("s3cret"));
}

#[test]
fn a_user_in_the_address_is_sent_and_not_shown() {
    let server = with(|request, _| {
        (request.header("authorization") != Some("Basic YW5uOnAvc3Ntb3Jk"))
            .then(|| Reply::new(401, "who is ann:p/ssmord?"))
    });
    let address = server.address().replace("http://", "http://ann:p%2Fssmord@");
    let ran = run(&wanted(&address));
    assert_eq!(samples(ran.text()).len(), 720);
    assert!(!ran.text().contains("ssmord"));
    let refused = run(&wanted(
        &Scripted::start(|_, _| Reply::new(401, "no p/ssmord")).address().replace("http://", "http://ann:p%2Fssmord@"),
    ));
    assert!(refused.why().contains("no ***") && !refused.why().contains("ssmord"), "{}", refused.why());
}

#[test]
fn secrets_are_not_sent_along_to_another_host() {
    let other = with(|_, _| None);
    let to = other.address();
    let server =
        Scripted::start(move |request, _| Reply::new(307, "").with("location", format!("{to}{}", request.path)));
    let headers = ["Authorization: Bearer s3cret-token".to_owned(), "X-Api-Key: s3cret-key".to_owned()];
    let ran = run(&Wanted { access: Access::new(None, None, &headers).unwrap(), ..wanted(&server.address()) });
    assert_eq!(samples(ran.text()).len(), 720);
    assert!(server.asked().iter().all(|request| request.header("x-api-key") == Some("s3cret-key")));
    for request in other.asked() {
        assert_eq!((request.header("authorization"), request.header("x-api-key")), (None, None));
        assert!(!format!("{request:?}").contains("s3cret"));
    }

    let strict = Scripted::start(|_, _| Reply::new(401, ""));
    let to = strict.address();
    let server = Scripted::start(move |_, _| Reply::new(302, "").with("location", to.clone()));
    insta::assert_snapshot!(run(&wanted(&server.address())).why(), @"it answered 401 Unauthorized (the request was redirected to `http://127.0.0.1:PORT`, which receives no credentials: use that address instead)");
}

#[test]
fn a_redirect_on_the_same_host_keeps_what_is_sent() {
    let server = Scripted::start(|request, _| {
        if !request.path.starts_with("/prom/") {
            return Reply::new(302, "").with("location", format!("/prom{}", request.path));
        }
        if request.header("x-scope-orgid") == Some("shop") { Shop::SMALL.answer(request) } else { Reply::new(401, "") }
    });
    let access = Access::new(None, None, &["X-Scope-OrgID: shop".to_owned()]).unwrap();
    assert_eq!(samples(run(&Wanted { access, ..wanted(&server.address()) }).text()).len(), 720);
    insta::assert_snapshot!(why(|_, _| Reply::new(302, "").with("location", "/again")), @"it redirects more than 5 times, the last to `http://127.0.0.1:PORT`");
}

#[test]
fn a_server_that_wants_a_pause_gets_it() {
    for status in [429, 503] {
        let server =
            with(move |_, before| (before % 5 < 2).then(|| Reply::new(status, "slow down").with("retry-after", "7")));
        let ran = run(&Wanted { concurrency: 1, ..wanted(&server.address()) });
        assert_eq!(samples(ran.text()).len(), 720);
        assert!(2 < ran.slept.len());
        assert!(ran.slept.iter().all(|pause| (7000..=8000).contains(&pause.as_millis())), "{:?}", ran.slept);
    }
    insta::assert_snapshot!(why(|_, _| Reply::new(429, "too many requests").with("retry-after", "900")), @"it answered 429 Too Many Requests, and asks for a pause of 900 s (`Retry-After`; leaktrend waits for 120 s at most: try again later)");
}

#[test]
fn a_server_that_stays_away_is_given_up_after_five_tries() {
    let server = Scripted::start(|_, _| Reply::new(503, "no backend"));
    let ran = run(&wanted(&server.address()));
    insta::assert_snapshot!(ran.why(), @"it answered 503 Service Unavailable: no backend, 5 times (try again later)");
    assert_eq!((server.asked().len(), ran.slept.len()), (5, 4));
    // Twice as long each time, and not by the same amount for everybody.
    let bounds = [500, 1000, 2000, 4000];
    assert!(
        ran.slept.iter().zip(bounds).all(|(pause, most)| (most / 2..=most).contains(&pause.as_millis())),
        "{:?}",
        ran.slept
    );
    assert!(ran.slept.iter().zip(bounds).any(|(pause, most)| pause.as_millis() != most));
}

#[test]
fn an_answer_that_breaks_off_is_asked_for_again() {
    let server = with(|request, before| {
        (is_range(request) && before % 2 == 1).then(|| Reply { cut: Some(2000), ..Shop::SMALL.answer(request) })
    });
    let ran = run(&Wanted { max_samples: 400, concurrency: 1, ..wanted(&server.address()) });
    assert_eq!(samples(ran.text()).len(), 720);
    assert!(!ran.slept.is_empty());

    let cut = |request: &Request| Reply { cut: Some(2000), ..Shop::SMALL.answer(request) };
    insta::assert_snapshot!(run(&wanted(&with(move |request, _| is_range(request).then(|| cut(request))).address())).why(), @"its answer broke off after 2000 bytes, 5 times (try again later)");
    // The text ends in the middle, and the server says that it is whole.
    let truncated = |request: &Request| Reply::new(200, Shop::SMALL.answer(request).body[..2000].to_vec());
    insta::assert_snapshot!(run(&wanted(&with(move |request, _| is_range(request).then(|| truncated(request))).address())).why(), @"its answer broke off after 2000 bytes, 5 times (try again later)");
}

#[test]
fn what_is_no_prometheus_is_named() {
    let page = "<!DOCTYPE html><html><head><title>Grafana</title></head></html>";
    insta::assert_snapshot!(why(move |_, _| Reply::new(200, page)), @"it answered with a web page with the title `Grafana` (expected the HTTP API of Prometheus: is a path missing, such as `/prometheus`, or is it a login page that needs `--http-config` or `--header`?)");
    insta::assert_snapshot!(why(move |_, _| Reply::new(404, page)), @"it answered 404 Not Found (expected the HTTP API of Prometheus: is a path missing, such as `/prometheus`, or `/select/0/prometheus` of VictoriaMetrics?)");
    insta::assert_snapshot!(why(move |_, _| Reply::new(502, page)), @"it answered 502 Bad Gateway, 5 times (try again later)");
    insta::assert_snapshot!(why(|_, _| Reply::new(200, "{\"hello\":1}")), @"its answer does not come from the HTTP API of Prometheus: missing field `status` at line 1 column 11 (is a path missing, such as `/prometheus`?)");
    insta::assert_snapshot!(why(|_, _| Reply::new(200, "hello")), @"its answer does not come from the HTTP API of Prometheus: expected value at line 1 column 1 (is a path missing, such as `/prometheus`?)");
    insta::assert_snapshot!(why(|_, _| Reply::new(404, "404 page not found")), @"it answered 404 Not Found: 404 page not found (expected the HTTP API of Prometheus: is a path missing, such as `/prometheus`, or `/select/0/prometheus` of VictoriaMetrics?)");
}

#[test]
fn a_server_that_is_not_there_is_not_asked_again_and_again() {
    // Nothing listens on the first port, and a name that begins with a dash is not looked up in any network.
    let ran = run(&wanted("http://127.0.0.1:1"));
    insta::assert_snapshot!(ran.why(), @"nothing listens there: Connection refused (os error 111) (is the port right?)");
    assert_eq!(ran.slept, Vec::<Duration>::new());
    insta::assert_snapshot!(run(&wanted("http://-no-such-host.invalid:9090")).why(), @"the host `-no-such-host.invalid` is unknown (is it spelled correctly, and is this machine in its network?)");
}

#[test]
fn an_answer_that_is_too_large_is_asked_for_in_parts() {
    const TOO_MANY: &str = "query processing would load too many samples into memory in query execution";
    // More than 100 samples are too many for it: 25 min of two pods.
    let refuses = |most: u64| {
        move |request: &Request, _: usize| {
            let seconds: u64 = request
                .query()
                .rsplit_once('[')
                .map_or(0, |(_, range)| range.trim_end_matches("s]").parse().unwrap_or(0));
            (is_range(request) && most < seconds).then(|| Reply::error(422, "execution", TOO_MANY))
        }
    };
    let server = with(refuses(1500));
    assert_eq!(samples(run(&wanted(&server.address())).text()).len(), 720);
    insta::assert_snapshot!(run(&wanted(&with(refuses(60)).address())).why(), @"even 5 min 37 s of one series is more than the server allows: it answered 422 Unprocessable Entity: query processing would load too many samples into memory in query execution (raise the server's limit, such as `--query.max-samples` or its timeout, or read less with `--match` or `--metric`)");

    // It times out, which is a matter of size, too.
    let server = with(|request, before| {
        (is_range(request) && before < 7).then(|| Reply::error(503, "timeout", "query timed out in query execution"))
    });
    assert_eq!(samples(run(&wanted(&server.address())).text()).len(), 720);
}

#[test]
fn what_a_server_does_not_understand_is_told_as_it_says_it() {
    let server = with(|request, _| {
        request
            .query()
            .contains("(container")
            .then(|| Reply::error(400, "bad_data", "1:8: parse error: unexpected character"))
    });
    insta::assert_snapshot!(run(&wanted(&server.address())).why(), @"it answered 400 Bad Request: 1:8: parse error: unexpected character");
}

#[test]
fn a_metric_without_series_says_which_there_are() {
    let server = with(|request, _| {
        request.path.ends_with("/series").then(|| Reply::new(200, r#"{"status":"success","data":[]}"#))
    });
    let selector = ServerSelector::new(Some("container_memory_rss"), &["namespace=\"shop\"".to_owned()]).unwrap();
    insta::assert_snapshot!(run(&Wanted { selector: selector.clone(), ..wanted(&server.address()) }).why(), @r#"no series of `container_memory_rss{container!="",container!="POD",namespace="shop"}` has a sample from 2026-11-23T17:07:00Z to 2026-11-23T20:07:00Z (it has `process_resident_memory_bytes` (12 series): choose one with `--metric`)"#);
    let bare = with(|request, _| {
        let is_series = request.path.ends_with("/series");
        if is_series {
            Some(Reply::new(200, r#"{"status":"success","data":[]}"#))
        } else {
            request.query().starts_with("count by").then(|| success("vector", "[]"))
        }
    });
    insta::assert_snapshot!(run(&Wanted { selector, ..wanted(&bare.address()) }).why(), @r#"no series of `container_memory_rss{container!="",container!="POD",namespace="shop"}` has a sample from 2026-11-23T17:07:00Z to 2026-11-23T20:07:00Z (it has no memory metrics at that time either: does this server scrape cAdvisor, and is `--since` right?)"#);
    let early = Wanted { since: Time::At(1_000_000), until: Some(Time::At(0)), ..wanted(&bare.address()) };
    insta::assert_snapshot!(run(&early).why(), @"the window is empty: it begins at 1970-01-01T00:16:40Z (`--since`) and ends at 1970-01-01T00:00:00Z (`--until`, or now)");
}

#[test]
fn other_amounts_are_read_to_their_end_or_not_at_all() {
    let shop = Shop { with_amounts: true, ..Shop::SMALL };
    let server = |refused: fn(&str) -> bool| {
        Scripted::start(move |request, _| {
            // The first part of two days is there.
            let is_late = request.form.get("end").is_some_and(|end| end.parse::<i64>().unwrap() > NOW - 86_400);
            let query = request.query();
            if is_late && refused(query) { Reply::error(403, "x", "not for you") } else { shop.answer(request) }
        })
    };
    let read = |server: &Scripted| {
        let since = Time::BeforeNow(2 * 86_400_000);
        run(&Wanted { since, max_samples: 2000, concurrency: 1, ..wanted(&server.address()) })
    };
    let late = server(|query| query.starts_with("last_over_time({"));
    let ran = read(&late);
    assert_eq!(samples(ran.text()).len(), 2 * 5760);
    assert!(!ran.text().contains("\"container_memory_rss\""));
    assert!(
        ran.text().contains("\"nodejs_heap_size_used_bytes\"") && ran.text().contains("container_spec_memory_limit")
    );
    insta::assert_snapshot!(super::notes(ran.text()), @r#"
    `container_memory_working_set_bytes{container!="",container!="POD"}` was read from http://127.0.0.1:PORT from 2026-11-21T20:07:00Z to 2026-11-23T20:07:00Z: 11520 samples in 32 requests
    `container_memory_cache`, `container_memory_rss` could not be read, so the report may not say what grows: it answered 403 Forbidden: not for you (these credentials have no permission to read this)
    what grows in each container is inferred from `nodejs_heap_size_used_bytes`, read every 3 min (`--metric container_memory_working_set_bytes` leaves them out)
    "#);
    let uncounted = server(|query| query.starts_with("count by"));
    insta::assert_snapshot!(super::notes(read(&uncounted).text()), @r#"
    `container_memory_working_set_bytes{container!="",container!="POD"}` was read from http://127.0.0.1:PORT from 2026-11-21T20:07:00Z to 2026-11-23T20:07:00Z: 11520 samples in 32 requests
    the other amounts of the containers could not be listed, so the report cannot say what grows: it answered 403 Forbidden: not for you (these credentials have no permission to read this)
    "#);
}

#[test]
fn limits_that_cannot_be_read_do_not_stop_the_rest() {
    let server = with(|request, _| request.query().starts_with("kube_").then(|| Reply::error(403, "x", "not for you")));
    let ran = run(&wanted(&server.address()));
    assert_eq!(samples(ran.text()).len(), 720);
    insta::assert_snapshot!(super::notes(ran.text()), @r#"
    `container_memory_working_set_bytes{container!="",container!="POD"}` was read from http://127.0.0.1:PORT from 2026-11-23T17:07:00Z to 2026-11-23T20:07:00Z: 720 samples in 1 request
    limits (`kube_pod_container_resource_limits`) could not be read: it answered 403 Forbidden: not for you (these credentials have no permission to read this)
    metrics of restarts (`kube_pod_container_status_restarts_total`, `kube_pod_container_status_last_terminated_reason`, `kube_pod_start_time`) could not be read: it answered 403 Forbidden: not for you (these credentials have no permission to read this)
    "#);
}
