//! scratch
use leaktrend::ingest::{self, Options, SamplesOption, Source};
use std::collections::BTreeMap;
#[derive(serde::Deserialize)]
struct Answer {
    data: Data,
}
#[derive(serde::Deserialize)]
struct Data {
    result: Vec<Series>,
}
#[derive(serde::Deserialize)]
struct Series {
    #[allow(unused)]
    metric: BTreeMap<String, String>,
    #[serde(deserialize_with = "columns")]
    values: (Vec<f64>, Vec<f64>),
}
fn columns<'de, D: serde::Deserializer<'de>>(d: D) -> Result<(Vec<f64>, Vec<f64>), D::Error> {
    struct V;
    impl<'de> serde::de::Visitor<'de> for V {
        type Value = (Vec<f64>, Vec<f64>);
        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("points")
        }
        fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut a: A) -> Result<Self::Value, A::Error> {
            let mut c = (Vec::new(), Vec::new());
            while let Some((t, v)) = a.next_element::<(f64, &str)>()? {
                c.0.push(t);
                c.1.push(v.parse().unwrap());
            }
            Ok(c)
        }
    }
    d.deserialize_seq(V)
}
fn main() {
    let path = std::env::args().nth(1).unwrap();
    if std::env::args().nth(2).is_some() {
        let bytes = std::fs::read(path).unwrap();
        let a: Answer = serde_json::from_slice(&bytes).unwrap();
        println!(
            "{} {}",
            a.data.result.len(),
            a.data.result.iter().map(|s| s.values.1.iter().sum::<f64>()).sum::<f64>()
        );
        return;
    }
    let o = Options { format: None, interval: None, end_ms: None, samples: SamplesOption::Auto };
    let r = ingest::read(&[Source::File(path.into())], &o).unwrap();
    println!(
        "{} {:?} {}",
        r.series.len(),
        r.inputs[0].samples,
        r.series.iter().map(|s| s.samples.used_bytes.iter().sum::<f64>()).sum::<f64>()
    );
}
