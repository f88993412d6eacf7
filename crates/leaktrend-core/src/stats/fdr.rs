//! False discovery rate: how many of many discoveries are false.

/// The q-value of each p-value: the smallest false discovery rate at which it is still a discovery.
///
/// In the order given, from 0 to 1. Takes O(n log n) time.
///
/// Benjamini, Hochberg (1995), "Controlling the false discovery rate".
pub fn q_values(p_values: &[f64]) -> Vec<f64> {
    let n = p_values.len();
    let mut order: Vec<usize> = (0..n).collect();
    order.sort_by(|&a, &b| p_values[a].total_cmp(&p_values[b]));
    let mut q_values = vec![1.0; n];
    let mut smallest = 1.0f64;
    for (rank, &index) in order.iter().enumerate().rev() {
        smallest = smallest.min(p_values[index] * n as f64 / (rank + 1) as f64);
        q_values[index] = smallest;
    }
    q_values
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn q_values_agree_with_statsmodels() {
        // statsmodels.stats.multitest.multipletests(p, method="fdr_bh")[1]
        let q = q_values(&[0.01, 0.04, 0.03, 0.2, 0.005]);
        for (q, expected) in q.iter().zip([0.025, 0.05, 0.05, 0.2, 0.025]) {
            assert!((q - expected).abs() < 1e-12, "{q} {expected}");
        }
        assert!(q_values(&[]).is_empty());
    }
}
