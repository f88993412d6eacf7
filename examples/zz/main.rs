#![allow(dead_code, unreachable_pub)]
#[path = "../accuracy/generator.rs"] mod generator;
#[path = "../accuracy/verdicts.rs"] mod verdicts;
use generator::*; use verdicts::*;
use leaktrend::fit::Analysis;
use rayon::prelude::*;
use std::collections::BTreeMap;
fn main() {
    let what = std::env::args().nth(1).unwrap();
    let count: u64 = std::env::args().nth(2).unwrap().parse().unwrap();
    let mechanism = *Mechanism::ALL.iter().find(|m| m.name() == what).unwrap();
    let rows: Vec<_> = (2..9usize).flat_map(|s| (0..count).map(move |k| (s, k))).collect::<Vec<_>>().into_par_iter().filter(|(s,_)| mechanism.fits(&SAMPLINGS[*s])).map(|(s, k)| {
        let seed = (mechanism as u64) << 40 | (s as u64) << 32 | k;
        let g = generate(mechanism, Rise::Large, &SAMPLINGS[s], 1.0, seed);
        let m = measure(&observed(&g, seed));
        let j = m.judge(None);
        let form = match m.fit.stretch.as_ref().map(|s| &s.analysis) {
            Some(Analysis::Shape(f)) => format!("{:?}", f.shape.chosen.form).split('(').next().unwrap().to_owned(),
            Some(Analysis::Floors{..}) => "floors".into(), Some(_) => "few".into(), None => "none".into() };
        let cov = j.growth.map(|gr| if g.slope < gr.lower {-1} else if g.slope > gr.upper {1} else {0});
        let width = j.growth.map(|gr| (gr.upper-gr.lower)*SAMPLINGS[s].span / (g.long_run_sd/(SAMPLINGS[s].len() as f64).sqrt()*3.46*3.29)).unwrap_or(f64::NAN);
        (s, g.phi, form, cov, width, j.verdict.name(), j.reason, j.detectable.and_then(|d| d.needed_seconds).map(|n| n/SAMPLINGS[s].span), m.fit.lives.as_ref().map(|l| l.count))
    }).collect();
    let mut by: BTreeMap<(String, String), [f64; 4]> = BTreeMap::new();
    for r in &rows {
        for key in [("phi".to_owned(), format!("{}", r.1)), ("form".into(), r.2.clone()), ("sampling".into(), SAMPLINGS[r.0].name.to_owned()), ("verdict".into(), r.5.to_owned())] {
            let e = by.entry(key).or_default();
            e[0] += 1.0; if r.3 == Some(-1) { e[1] += 1.0 } if r.3 == Some(1) { e[2] += 1.0 } e[3] += r.4;
        }
    }
    for (k, e) in by { println!("{:?} n {} below {:.1}% above {:.1}% width {:.2}", k, e[0], 100.0*e[1]/e[0], 100.0*e[2]/e[0], e[3]/e[0]); }
    if std::env::args().nth(3).is_some() { for r in rows.iter().filter(|r| r.5 == "inconclusive").take(30) { println!("{:?}", r); } }
}
