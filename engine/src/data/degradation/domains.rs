//! Conditions without pairs: a picture of one domain, and the domain that a picture is to be made of.

use tch::{Kind, Tensor};

use crate::data::Batch;

/// The domain of each picture of a batch, `[n]`, i64: its class; the first one of all, if they have no classes.
pub fn domains(batch: &Batch) -> Tensor {
    let images = &batch.images;
    batch.classes.as_ref().map_or_else(
        || Tensor::zeros([images.size()[0]], (Kind::Int64, images.device())),
        Tensor::shallow_clone,
    )
}

/// For each picture of a batch the place of the one that a fake beside it is made from: one of the other domain, as far as
/// there are as many of both. `domains`, `[n]`, i64, are 0 or 1.
pub fn opposites(domains: &Tensor) -> Tensor {
    let order = domains.argsort_stable(true, 0, false);
    Tensor::zeros_like(&order).scatter(0, &order, &order.flip([0]))
}

/// What pictures of these domains, `[n]`, i64, are to be made from: pictures `[n, c, h, w]`, and behind them a channel that
/// is -1 for the first domain and 1 for the second.
pub fn towards(domains: &Tensor, pictures: &Tensor) -> Tensor {
    let size = pictures.size();
    let signs = (domains * 2 - 1).to_kind(Kind::Float).view([-1, 1, 1, 1]);
    let sign = signs.expand([size[0], 1, size[2], size[3]], false);
    Tensor::cat(&[pictures, &sign], 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_picture_is_made_from_one_of_the_other_domain() {
        let domains = Tensor::from_slice(&[1_i64, 0, 0, 1, 1, 0]);
        let found = domains.index_select(0, &opposites(&domains));
        assert_eq!(found, 1 - &domains);
        // One of the first domain is left over, and is made from itself.
        let uneven = Tensor::from_slice(&[0_i64, 1, 0, 0]);
        let places: Vec<i64> = opposites(&uneven).try_into().unwrap();
        assert_eq!(places, [1, 0, 3, 2]);
    }

    #[test]
    fn the_domain_stands_behind_the_picture() {
        let pictures = Tensor::zeros([2, 3, 4, 4], (Kind::Float, tch::Device::Cpu));
        let made = towards(&Tensor::from_slice(&[1_i64, 0]), &pictures);
        assert_eq!(made.size(), [2, 4, 4, 4]);
        let signs: Vec<f32> = made
            .select(1, 3)
            .select(1, 0)
            .select(1, 0)
            .try_into()
            .unwrap();
        assert_eq!(signs, [1.0, -1.0]);
    }
}
