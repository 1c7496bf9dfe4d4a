//! Files and folders: a folder a generation, published by swapping a link, so that a reader sees all of
//! one generation or all of the next. Folders are 0700, files 0600 and created exclusively.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, symlink};
use std::path::{Path, PathBuf};

use mesh::identity::CURRENT;

use crate::CertsError;

const GENERATION: &str = "gen-";
/// The one in force, the one before for readers on their way, and one to look back at.
const GENERATIONS_KEPT: usize = 3;

/// Keeps other commands out of a folder until it is dropped.
pub(crate) struct Lock(#[expect(dead_code, reason = "the lock is held by the open file")] File);

impl Lock {
    /// Makes the folder where it is missing, and takes its lock at once or not at all.
    pub(crate) fn take(dir: &Path) -> Result<Self, CertsError> {
        create(dir)?;
        let path = dir.join("lock");
        let file = OpenOptions::new()
            .create(true)
            .append(true)
            .mode(0o600)
            .open(&path)
            .map_err(CertsError::at(&path))?;
        match file.try_lock() {
            Ok(()) => Ok(Self(file)),
            Err(TryLockError::WouldBlock) => Err(CertsError::Busy(path)),
            Err(TryLockError::Error(source)) => Err(CertsError::Io { path, source }),
        }
    }
}

/// Writes a new generation, has it checked, and makes it the current one.
pub(crate) fn publish(
    dir: &Path,
    files: &[(&str, &str)],
    check: impl FnOnce(&Path) -> Result<(), CertsError>,
) -> Result<(), CertsError> {
    create(dir)?;
    let generations = generations(dir)?;
    let next = generations.last().map_or(1, |(number, _)| number + 1);
    let name = format!("{GENERATION}{next:06}");
    let folder = dir.join(&name);
    DirBuilder::new().mode(0o700).create(&folder).map_err(CertsError::at(&folder))?;
    for (file, content) in files {
        write(&folder.join(file), content)?;
    }
    check(&folder)?;
    swap(dir, &name)?;
    let outdated = (generations.len() + 1).saturating_sub(GENERATIONS_KEPT);
    for (_, folder) in generations.into_iter().take(outdated) {
        fs::remove_dir_all(&folder).map_err(CertsError::at(&folder))?;
    }
    Ok(())
}

/// Moves a finished folder to its name; its content is on disk before.
pub(crate) fn rename(from: &Path, to: &Path) -> Result<(), CertsError> {
    fs::rename(from, to).map_err(CertsError::at(to))?;
    to.parent().map_or(Ok(()), sync)
}

/// Makes a folder that only its owner may enter.
pub(crate) fn create(dir: &Path) -> Result<(), CertsError> {
    DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(CertsError::at(dir))
}

/// All generations, oldest first.
fn generations(dir: &Path) -> Result<Vec<(u64, PathBuf)>, CertsError> {
    let entries =
        fs::read_dir(dir).and_then(Iterator::collect::<io::Result<Vec<_>>>).map_err(CertsError::at(dir))?;
    let number = |path: &Path| path.file_name()?.to_str()?.strip_prefix(GENERATION)?.parse().ok();
    let mut found: Vec<(u64, PathBuf)> =
        entries.into_iter().filter_map(|entry| Some((number(&entry.path())?, entry.path()))).collect();
    found.sort_unstable();
    Ok(found)
}

fn write(path: &Path, content: &str) -> Result<(), CertsError> {
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .map_err(CertsError::at(path))?;
    file.write_all(content.as_bytes()).and_then(|()| file.sync_all()).map_err(CertsError::at(path))
}

fn swap(dir: &Path, generation: &str) -> Result<(), CertsError> {
    sync(&dir.join(generation))?;
    let (link, current) = (dir.join("current.new"), dir.join(CURRENT));
    // Left behind where an earlier swap was cut short.
    match fs::remove_file(&link) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(CertsError::at(&link)(error)),
        _ => {}
    }
    symlink(generation, &link).map_err(CertsError::at(&link))?;
    rename(&link, &current)
}

fn sync(dir: &Path) -> Result<(), CertsError> {
    File::open(dir).and_then(|dir| dir.sync_all()).map_err(CertsError::at(dir))
}
