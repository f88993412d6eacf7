//! Access logs, tables of numbers and lists of changes: the same bytes as each of them.
#![no_main]

use leaktrend::counts::{self, CountSources, Given, Routes};
use leaktrend_fuzz::{END_MS, check_account};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let path = leaktrend_fuzz::files(&[data]).remove(0);
    let given = || vec![Given { series: None, path: path.clone() }];
    let wanted = CountSources {
        requests: given(),
        covariates: given(),
        changes: vec![path.clone()],
        routes: Routes::new(&["/files/:name/*"]).expect("it is a route"),
    };
    let read = || counts::read(&wanted, &[(END_MS - 3_600_000, END_MS)]).remove(0);
    let found = read();
    found.inputs.iter().for_each(|input| check_account(input, data));
    for kind in found.groups.iter().flat_map(|group| &group.kinds) {
        assert_eq!(kind.values.len(), found.bins.count, "{kind:?}");
        assert!(kind.values.iter().all(|value| value.is_finite()), "{kind:?}");
    }
    assert_eq!(format!("{found:?}"), format!("{:?}", read()), "the same bytes are read differently");
});
