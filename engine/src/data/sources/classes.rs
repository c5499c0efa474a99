//! Labels as indices of classes.

/// Classes that a data set may have at most.
pub(super) const MOST: usize = 1000;

/// What is said where there are more classes than that.
pub(super) fn too_many() -> String {
    format!("there are more than {MOST} classes: the pictures are taken without labels")
}

/// Labels of two parts as indices of the labels that occur, which are sorted.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Indexed<K> {
    /// The labels that occur.
    pub(super) labels: Vec<K>,
    pub(super) train: Vec<u16>,
    pub(super) test: Vec<u16>,
}

/// Numbers the labels that occur. `None` if they are more than [`MOST`].
pub(super) fn index<K: Ord + Clone>(train: &[K], test: &[K]) -> Option<Indexed<K>> {
    let mut labels: Vec<&K> = Vec::new();
    for label in train.iter().chain(test) {
        if let Err(place) = labels.binary_search(&label) {
            if labels.len() == MOST {
                return None;
            }
            labels.insert(place, label);
        }
    }
    let number = |label: &K| {
        let place = labels.binary_search(&label).unwrap_or_default();
        u16::try_from(place).unwrap_or_default()
    };
    Some(Indexed {
        train: train.iter().map(number).collect(),
        test: test.iter().map(number).collect(),
        labels: labels.into_iter().cloned().collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_that_do_not_occur_are_no_classes() {
        let indexed = index(&[7_u8, 3, 7], &[9]).unwrap();
        assert_eq!(indexed.labels, [3, 7, 9]);
        assert_eq!((indexed.train, indexed.test), (vec![1, 0, 1], vec![2]));
    }

    #[test]
    fn too_many_labels_are_none() {
        let many: Vec<u64> = (0..=MOST as u64).collect();
        assert!(index(&many, &[]).is_none());
        assert!(index(&many[1..], &[]).is_some());
    }
}
