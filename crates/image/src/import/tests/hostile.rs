//! Archives that cost more than they weigh.

use super::*;

/// In quadratic time each of these would take minutes.
#[test]
fn long_chains_and_crowds_take_time_in_proportion() {
    const LINKS: usize = 40_000;
    const DIRECTORIES: usize = 60_000;
    let name = |letter: char, number: usize| format!("{letter}{number:06}");
    let chain: Vec<_> = (0..LINKS).map(|number| name('l', number)).collect();
    let mut links: Vec<Line<'_>> = vec![("l040000", b'0', "bytes")];
    for (number, path) in chain.iter().enumerate() {
        let target = chain.get(number + 1).map_or("l040000", String::as_str);
        links.push((path, b'1', target));
    }
    let saved = Saved::new(&[&links]);
    assert_eq!(saved.names()[0].len(), LINKS + 1);

    let crowd: Vec<_> = (0..DIRECTORIES).map(|number| name('d', number)).collect();
    let directories: Vec<Line<'_>> = crowd.iter().map(|path| (path.as_str(), b'5', "")).collect();
    let files: Vec<_> = (0..DIRECTORIES).map(|number| name('f', number)).collect();
    let mut emptied: Vec<Line<'_>> = files.iter().map(|path| (path.as_str(), b'0', "")).collect();
    emptied.push((".wh..wh..opq", b'0', ""));
    let saved = Saved::new(&[&directories, &emptied]);
    assert_eq!(saved.names().last().unwrap().len(), 2 * DIRECTORIES);
}

#[test]
fn a_layer_is_unpacked_beside_its_archive() {
    use flate2::write::GzEncoder;

    let saved = Saved::new(&[BINARY]);
    let mut files = saved.files();
    let mut encoder = GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(&saved.layers[0]).unwrap();
    files.last_mut().unwrap().1 = encoder.finish().unwrap();
    let packed = saved.import_of(&files, &[]).unwrap();
    assert_eq!(packed.image().unwrap().descriptor.digest, saved.digest());
    // The archive and the layout: what was unpacked has no name any more.
    assert_eq!(fs::read_dir(saved.directory.path()).unwrap().count(), 2);
}
