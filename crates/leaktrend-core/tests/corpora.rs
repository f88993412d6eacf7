//! The labelled corpora are what their labels say, and a longer series goes on as it began.

#[allow(dead_code, reason = "the example uses all of it")]
#[path = "../examples/accuracy/corpora/mod.rs"]
mod corpora;
#[allow(dead_code, reason = "the example uses all of it")]
#[path = "../examples/accuracy/generator/mod.rs"]
mod generator;

use corpora::{CORPORA, Place};
use generator::random::Random;

const SEED: u64 = 11;

fn places() -> impl Iterator<Item = Place> {
    (0..CORPORA.len()).flat_map(|corpus| Place::all(corpus, 1))
}

#[test]
fn leaks_lose_memory_in_each_window_and_healthy_processes_none() {
    for place in places() {
        let series = place.make(SEED, 2);
        let n = series.len() / 2;
        let name = place.family().name;
        assert!(series.lost.is_sorted(), "{name} finds again what it lost");
        let [first, second] = [series.lost[n - 1], series.lost[2 * n - 1] - series.lost[n - 1]];
        if place.leaks() {
            assert!(first > 0.0 && second > 0.5 * first, "{name} loses {first} and then {second}");
        } else {
            assert!(series.lost[2 * n - 1] == 0.0, "{name} loses {second}");
        }
    }
}

#[test]
fn a_series_is_made_again_from_its_seed_and_is_another_from_another() {
    for place in places() {
        let readings = |seed: u64| {
            let series = place.make(seed, 1);
            series.observed(0..series.len()).used_bytes().to_vec()
        };
        assert_eq!(readings(SEED), readings(SEED));
        assert_ne!(readings(SEED), readings(SEED + 1), "{}", place.family().name);
    }
}

#[test]
fn outages_are_short_and_readings_are_whole_pages_or_docker_s() {
    for place in places() {
        let series = place.make(SEED, 2);
        let seen = series.observed(0..series.len());
        assert!(seen.len() as f64 >= 0.95 * series.len() as f64, "{}", place.family().name);
        let pages = seen.used_bytes().iter().all(|bytes| bytes % 4096.0 == 0.0);
        assert!(pages || place.family().name.ends_with("_quant"), "{}", place.family().name);
        assert!(seen.used_bytes().iter().all(|bytes| *bytes > 0.0 && bytes.is_finite()));
    }
}

#[test]
fn distributions_have_their_means_and_variances() {
    type Draw = fn(&mut Random) -> f64;
    let draws: [(&str, Draw, f64, f64); 5] = [
        ("uniform", |random| random.uniform(2.0, 4.0), 3.0, 1.0 / 3.0),
        ("normal", Random::normal, 0.0, 1.0),
        ("exponential", Random::exponential, 1.0, 1.0),
        ("poisson", |random| random.poisson(40.0), 40.0, 40.0),
        ("poisson of many", |random| random.poisson(1200.0), 1200.0, 1200.0),
    ];
    for (name, draw, mean, variance) in draws {
        let random = &mut Random::of(SEED, 3);
        let drawn: Vec<f64> = (0..20_000).map(|_| draw(random)).collect();
        let found = drawn.iter().sum::<f64>() / drawn.len() as f64;
        let spread = drawn.iter().map(|value| (value - found).powi(2)).sum::<f64>() / drawn.len() as f64;
        assert!((found - mean).abs() < 0.04 * variance.sqrt(), "{name}: mean {found}");
        assert!((spread / variance - 1.0).abs() < 0.08, "{name}: variance {spread}");
    }
}
