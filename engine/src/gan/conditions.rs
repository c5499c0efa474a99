//! What the tasks that make pictures from pictures share: which pictures, and the generator's input.

use tch::{Device, Kind, Tensor};

/// `count` of so many places by chance, `[count]`, i64: each once before any comes again. Drawn on the CPU: the same on every
/// device.
pub(super) fn chosen_of(places: i64, count: i64) -> Tensor {
    let order = Tensor::randperm(places, (Kind::Int64, Device::Cpu));
    let turns = Tensor::arange(count, (Kind::Int64, Device::Cpu)).remainder(places);
    order.index_select(0, &turns)
}

/// The generator's input from conditions `[n, …, h, w]` and fresh noise, each number of which fills a channel.
pub(super) fn with_noise(conditions: &Tensor, latent_dim: i64) -> Tensor {
    if latent_dim == 0 {
        return conditions.shallow_clone();
    }
    let size = conditions.size();
    let options = (Kind::Float, conditions.device());
    let noise = Tensor::randn([size[0], latent_dim, 1, 1], options);
    let noise = noise.expand([size[0], latent_dim, size[2], size[3]], false);
    Tensor::cat(&[conditions, &noise], 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_place_is_chosen_once_before_any_comes_again() {
        tch::manual_seed(5);
        let chosen: Vec<i64> = chosen_of(4, 10).try_into().unwrap();
        for turn in chosen.chunks(4) {
            let mut places = turn.to_vec();
            places.sort_unstable();
            places.dedup();
            assert_eq!(places.len(), turn.len(), "{chosen:?}");
        }
    }
}
