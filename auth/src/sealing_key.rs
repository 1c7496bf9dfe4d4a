//! The file of the sealing key: made at the first start of a platform that was given none.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD as BASE64, URL_SAFE_NO_PAD};
use chassis::Ids;
use secrecy::SecretString;
use zeroize::Zeroizing;

use crate::config::SealingKey;

/// The key from configuration, or from its file, which is made where there is none.
pub(crate) fn read(key: &SealingKey, ids: &Ids) -> io::Result<SecretString> {
    match key {
        SealingKey::Given(key) => Ok(key.clone()),
        SealingKey::File(path) => read_file(path).or_else(|error| match error.kind() {
            ErrorKind::NotFound => make_file(path, ids),
            _ => Err(error),
        }),
    }
}

fn read_file(path: &Path) -> io::Result<SecretString> {
    if fs::metadata(path)?.permissions().mode() & 0o077 != 0 {
        let message = format!("{} may be read by others: it must be 0600", path.display());
        return Err(io::Error::new(ErrorKind::PermissionDenied, message));
    }
    Ok(fs::read_to_string(path)?.trim_end().to_owned().into())
}

fn make_file(path: &Path, ids: &Ids) -> io::Result<SecretString> {
    if let Some(folder) = path.parent() {
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    }
    let key = Zeroizing::new(format!("k1:{}", BASE64.encode(ids.bytes::<32>())));
    // Written aside and linked when it is whole: of several processes one makes the key, all read it.
    let draft = path.with_extension(URL_SAFE_NO_PAD.encode(ids.bytes::<9>()));
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft)?;
    file.write_all(key.as_bytes())?;
    file.sync_all()?;
    let linked = fs::hard_link(&draft, path);
    fs::remove_file(&draft)?;
    match linked {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(error),
        _ => read_file(path),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::thread;

    use secrecy::ExposeSecret;

    use super::*;

    #[test]
    fn of_many_that_start_at_once_one_makes_the_key_and_all_have_it() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("auth").join("sealing.key");
        let start = || read(&SealingKey::File(path.clone()), &Ids::random()).unwrap();
        let keys: HashSet<String> = thread::scope(|scope| {
            let starts: Vec<_> = (0..8).map(|_| scope.spawn(start)).collect();
            starts.into_iter().map(|start| start.join().unwrap().expose_secret().to_owned()).collect()
        });
        assert_eq!(keys.len(), 1);
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1, "no draft is left");
    }

    #[test]
    fn a_key_that_others_may_read_is_refused() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("sealing.key");
        fs::write(&path, "k1:AAAA").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        let error = read(&SealingKey::File(path), &Ids::random()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::PermissionDenied);
    }
}
