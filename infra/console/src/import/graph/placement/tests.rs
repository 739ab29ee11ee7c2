use super::super::tests::{DEAD_LETTER, IMPORT, MADE_UP};
use super::places::apart;
use super::*;

fn graphs() -> Vec<Graph> {
    [IMPORT, DEAD_LETTER, MADE_UP].map(|definition| Graph::read(definition).unwrap()).into()
}

/// Left, top, right, bottom.
type Area = (f64, f64, f64, f64);

fn overlap(one: Area, other: Area) -> bool {
    one.0 < other.2 && other.0 < one.2 && one.1 < other.3 && other.1 < one.3
}

#[test]
fn boxes_and_labels_stand_clear_of_each_other_and_inside_of_the_picture() {
    for graph in graphs() {
        let placement = Placement::of(&graph);
        let mut areas: Vec<Area> = placement
            .boxes
            .iter()
            .map(|one| (one.x - one.width / 2.0, one.y, one.x + one.width / 2.0, one.y + STATE_HEIGHT))
            .collect();
        for (route, way) in placement.ways.iter().zip(&graph.ways) {
            let half = label_width(way) / 2.0;
            areas.extend(
                route
                    .label
                    .map(|(x, y)| (x - half, y - LABEL_HEIGHT / 2.0, x + half, y + LABEL_HEIGHT / 2.0)),
            );
        }
        let labels = graph.ways.iter().filter(|way| way.label.is_some()).count();
        assert_eq!(areas.len(), graph.states.len() + labels, "each has a place");
        for (number, area) in areas.iter().enumerate() {
            assert!(
                area.0 >= 0.0 && area.2 <= placement.width && area.1 >= 0.0 && area.3 <= placement.height,
                "{area:?}"
            );
            for other in &areas[number + 1..] {
                assert!(!overlap(*area, *other), "{area:?} and {other:?}");
            }
        }
    }
}

#[test]
fn ways_lead_down_unless_they_lead_back_and_none_passes_through_a_box() {
    for graph in graphs() {
        let placement = Placement::of(&graph);
        for (route, way) in placement.ways.iter().zip(&graph.ways).filter(|(_, way)| way.from != way.to) {
            let (first, last) = (route.points[0], route.points[route.points.len() - 1]);
            let is_back = graph.states[way.to].name == "Look";
            assert_eq!(first.1 < last.1, !is_back, "{way:?}");
            for (x, y) in &route.points[1..route.points.len() - 1] {
                let is_in = |one: &Box| {
                    (x - one.x).abs() < one.width / 2.0 && *y > one.y && *y < one.y + STATE_HEIGHT
                };
                assert!(!placement.boxes.iter().any(is_in), "{way:?} at {x}, {y}");
            }
        }
    }
}

#[test]
fn the_real_machines_have_no_ways_that_cross() {
    for definition in [IMPORT, DEAD_LETTER] {
        assert_eq!(Layers::of(&Graph::read(definition).unwrap()).crossings(), 0);
    }
}

#[test]
fn what_wants_the_same_place_stands_side_by_side_around_it() {
    assert_eq!(apart(&[100.0, 100.0], &[10.0, 30.0], &[1.0, 1.0]), [76.0, 124.0]);
    assert_eq!(
        apart(&[100.0, 100.0], &[10.0, 30.0], &[3.0, 1.0]),
        [88.0, 136.0],
        "the firmer one moves less"
    );
    assert_eq!(apart(&[0.0, 500.0], &[10.0, 30.0], &[1.0, 1.0]), [0.0, 500.0]);
    assert_eq!(apart(&[], &[], &[]), [0.0; 0]);
}
