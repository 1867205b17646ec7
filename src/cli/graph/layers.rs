//! A layered layout of a directed graph, after Sugiyama, Tagawa and Toda: arrows of cycles are turned,
//! each node gets the layer of its longest way from a beginning, long arrows pass a point in each layer
//! between, the layers are put into an order with few crossings, and each node is drawn to its neighbours.

/// Something that takes a place: a node, or the point of a long arrow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Item {
    /// The layer, from 0 on.
    pub(super) layer: usize,
    /// Where it begins, across the layers.
    pub(super) at: i64,
    /// How much room it takes there.
    pub(super) size: i64,
}

/// Where everything is.
#[derive(Debug)]
pub(super) struct Layers {
    /// The nodes, and behind them the points.
    pub(super) items: Vec<Item>,
    /// For each arrow the items that it passes, from its beginning to its end. Of an arrow from a node to
    /// itself, that node alone.
    pub(super) ways: Vec<Vec<usize>>,
}

/// How often the order and the places are mended.
const SWEEPS: usize = 8;

/// Lays out `nodes` nodes of one size with a gap between them. A point takes a third of their room.
pub(super) fn lay_out(nodes: usize, arrows: &[(usize, usize)], size: i64, gap: i64) -> Layers {
    let turned = turned(nodes, arrows);
    let straight: Vec<(usize, usize)> = arrows
        .iter()
        .zip(&turned)
        .map(|(&(from, to), is_turned)| if *is_turned { (to, from) } else { (from, to) })
        .collect();
    let mut items: Vec<Item> = ranks(nodes, &straight)
        .into_iter()
        .map(|layer| Item { layer, at: 0, size })
        .collect();
    let mut ways = Vec::new();
    for &(from, to) in &straight {
        let mut way = vec![from];
        for layer in items[from].layer + 1..items[to].layer {
            way.push(items.len());
            items.push(Item {
                layer,
                at: 0,
                size: size / 3,
            });
        }
        if from != to {
            way.push(to);
        }
        ways.push(way);
    }
    let neighbours = neighbours(items.len(), &ways);
    let layers = order(&items, &neighbours);
    place(&mut items, &layers, &neighbours, gap);
    for (way, is_turned) in ways.iter_mut().zip(turned) {
        if is_turned {
            way.reverse();
        }
    }
    Layers { items, ways }
}

/// Which arrows close a cycle, found by walking from each node in turn.
fn turned(nodes: usize, arrows: &[(usize, usize)]) -> Vec<bool> {
    #[derive(Clone, Copy, PartialEq)]
    enum State {
        New,
        Open,
        Done,
    }
    let mut leaving = vec![Vec::new(); nodes];
    for (index, (from, to)) in arrows.iter().enumerate() {
        if from != to {
            leaving[*from].push(index);
        }
    }
    let mut turned = vec![false; arrows.len()];
    let mut states = vec![State::New; nodes];
    for root in 0..nodes {
        if states[root] != State::New {
            continue;
        }
        states[root] = State::Open;
        let mut stack = vec![(root, 0)];
        while let Some((node, next)) = stack.pop() {
            let Some(&arrow) = leaving[node].get(next) else {
                states[node] = State::Done;
                continue;
            };
            stack.push((node, next + 1));
            let to = arrows[arrow].1;
            match states[to] {
                State::Open => turned[arrow] = true,
                State::New => {
                    states[to] = State::Open;
                    stack.push((to, 0));
                }
                State::Done => {}
            }
        }
    }
    turned
}

/// The length of the longest way to each node, by arrows without cycles.
fn ranks(nodes: usize, arrows: &[(usize, usize)]) -> Vec<usize> {
    let arrows = || arrows.iter().filter(|(from, to)| from != to);
    let mut coming = vec![0_usize; nodes];
    let mut leaving = vec![Vec::new(); nodes];
    for &(from, to) in arrows() {
        coming[to] += 1;
        leaving[from].push(to);
    }
    let mut ranks = vec![0; nodes];
    let mut next: Vec<usize> = (0..nodes).filter(|node| coming[*node] == 0).collect();
    while let Some(node) = next.pop() {
        for &to in &leaving[node] {
            ranks[to] = ranks[to].max(ranks[node] + 1);
            coming[to] -= 1;
            if coming[to] == 0 {
                next.push(to);
            }
        }
    }
    ranks
}

/// The items of the layers before and after each item to which it is joined.
struct Neighbours {
    before: Vec<Vec<usize>>,
    after: Vec<Vec<usize>>,
}

fn neighbours(items: usize, ways: &[Vec<usize>]) -> Neighbours {
    let mut before = vec![Vec::new(); items];
    let mut after = vec![Vec::new(); items];
    for pair in ways.iter().flat_map(|way| way.windows(2)) {
        after[pair[0]].push(pair[1]);
        before[pair[1]].push(pair[0]);
    }
    Neighbours { before, after }
}

/// Puts each layer in the order of the means of its items' neighbours, forth and back.
fn order(items: &[Item], neighbours: &Neighbours) -> Vec<Vec<usize>> {
    let count = items.iter().map(|item| item.layer + 1).max().unwrap_or(0);
    let mut layers = vec![Vec::new(); count];
    for (index, item) in items.iter().enumerate() {
        layers[item.layer].push(index);
    }
    let mut places = vec![0_usize; items.len()];
    let note = |layer: &[usize], places: &mut [usize]| {
        for (place, &item) in layer.iter().enumerate() {
            places[item] = place;
        }
    };
    for layer in &layers {
        note(layer, &mut places);
    }
    for sweep in 0..SWEEPS {
        let is_forth = sweep % 2 == 0;
        let joined = match is_forth {
            true => &neighbours.before,
            false => &neighbours.after,
        };
        for step in 0..count {
            let layer = &mut layers[if is_forth { step } else { count - 1 - step }];
            // A mean as a fraction of a common unit, so that no rounding decides. Who has no neighbour
            // there stays where it is.
            let mean = |item: usize| match &joined[item][..] {
                [] => places[item] * UNIT,
                others => {
                    let sum: usize = others.iter().map(|other| places[*other]).sum();
                    sum * UNIT / others.len()
                }
            };
            layer.sort_by_key(|item| mean(*item));
            note(layer, &mut places);
        }
    }
    layers
}

/// What a place counts in a mean.
const UNIT: usize = 1 << 20;

/// Gives each item its place: near its neighbours, in the layer's order, with the gap kept.
fn place(items: &mut [Item], layers: &[Vec<usize>], neighbours: &Neighbours, gap: i64) {
    for layer in layers {
        let mut end = 0;
        for &item in layer {
            items[item].at = end;
            end += items[item].size + gap;
        }
    }
    for sweep in 0..SWEEPS {
        for step in 0..layers.len() {
            let is_forth = sweep % 2 == 0;
            let layer = &layers[if is_forth {
                step
            } else {
                layers.len() - 1 - step
            }];
            let wanted: Vec<i64> = layer
                .iter()
                .map(|&item| wanted_place(items, neighbours, item))
                .collect();
            // Pushed from the front only, a layer slides away; pushed from the back only, it slides the
            // other way. Between both, the gaps are kept as well.
            let mut front = wanted.clone();
            for i in 1..layer.len() {
                front[i] = front[i].max(front[i - 1] + items[layer[i - 1]].size + gap);
            }
            let mut back = wanted;
            for i in (1..layer.len()).rev() {
                back[i - 1] = back[i - 1].min(back[i] - items[layer[i - 1]].size - gap);
            }
            for (i, &item) in layer.iter().enumerate() {
                items[item].at = (front[i] + back[i]).div_euclid(2);
            }
        }
    }
    let first = items.iter().map(|item| item.at).min().unwrap_or(0);
    for item in items {
        item.at -= first;
    }
}

/// Where an item would stand right between its neighbours.
fn wanted_place(items: &[Item], neighbours: &Neighbours, item: usize) -> i64 {
    let others = neighbours.before[item]
        .iter()
        .chain(&neighbours.after[item]);
    let (mut sum, mut count) = (0, 0);
    for &other in others {
        sum += items[other].at + items[other].size / 2;
        count += 1;
    }
    match count {
        0 => items[item].at,
        _ => sum / count - items[item].size / 2,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn layers(nodes: usize, arrows: &[(usize, usize)]) -> Vec<usize> {
        let laid = lay_out(nodes, arrows, 30, 10);
        laid.items[..nodes].iter().map(|item| item.layer).collect()
    }

    #[test]
    fn a_node_stands_behind_all_that_lead_to_it() {
        assert_eq!(layers(4, &[(0, 1), (1, 2), (0, 2), (2, 3)]), [0, 1, 2, 3]);
        assert_eq!(layers(3, &[(2, 1)]), [0, 1, 0]);
        // A cycle, and a node that leads to itself.
        assert_eq!(layers(3, &[(0, 1), (1, 2), (2, 0), (1, 1)]), [0, 1, 2]);
        assert_eq!(layers(0, &[]), [0; 0]);
    }

    #[test]
    fn a_long_arrow_passes_each_layer_and_a_turned_one_goes_back() {
        let laid = lay_out(3, &[(0, 1), (1, 2), (0, 2), (2, 0), (1, 1)], 30, 10);
        assert_eq!(laid.ways[2], [0, 3, 2]);
        assert_eq!(laid.ways[3], [2, 4, 0]);
        assert_eq!(laid.ways[4], [1]);
        assert_eq!(laid.items[3].layer, 1);
    }

    #[test]
    fn what_crosses_is_uncrossed() {
        // 0 leads to 3 and 1 leads to 2.
        let laid = lay_out(4, &[(0, 3), (1, 2)], 30, 10);
        let at = |item: usize| laid.items[item].at;
        assert_eq!((at(0) < at(1)), (at(3) < at(2)));
        assert_eq!((at(0), at(1)), (at(3), at(2)));
    }

    proptest! {
        #[test]
        fn nothing_stands_on_anything_else(
            nodes in 1_usize..12,
            arrows in prop::collection::vec((0_usize..12, 0_usize..12), 0..40),
        ) {
            let arrows: Vec<_> = arrows.into_iter().map(|(a, b)| (a % nodes, b % nodes)).collect();
            let laid = lay_out(nodes, &arrows, 30, 10);
            for (i, one) in laid.items.iter().enumerate() {
                prop_assert!(one.at >= 0);
                for other in &laid.items[i + 1..] {
                    let apart = one.at + one.size <= other.at || other.at + other.size <= one.at;
                    prop_assert!(one.layer != other.layer || apart, "{one:?} {other:?}");
                }
            }
            for (way, (from, to)) in laid.ways.iter().zip(&arrows) {
                prop_assert_eq!((way.first(), way.last()), (Some(from), Some(to)));
                for pair in way.windows(2) {
                    let (a, b) = (laid.items[pair[0]].layer, laid.items[pair[1]].layer);
                    prop_assert_eq!(a.abs_diff(b), 1);
                }
            }
        }
    }
}
