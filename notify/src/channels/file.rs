//! Mails as files, for a start without a mail server: a person finds the link in the folder.

use std::io;
use std::path::{Path, PathBuf};

use super::{Failure, email::Mail};

/// A folder of `.eml` files, readable by its owner only: they hold links that work.
#[derive(Debug)]
pub(crate) struct Folder(PathBuf);

impl Folder {
    /// The folder at `path`, which is made where it is missing.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        use std::os::unix::fs::DirBuilderExt as _;
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(path)?;
        Ok(Self(path.to_owned()))
    }

    /// Keeps a mail. The file is named by the delivery: a mail that is kept again replaces itself.
    pub(super) async fn keep(&self, mail: &Mail) -> Result<String, Failure> {
        let name = format!("{}.eml", mail.id);
        self.write(&name, &mail.bytes)
            .await
            .map_err(|error| Failure::Deferred(format!("mail folder: {error}")))?;
        tracing::info!(file = %self.0.join(&name).display(), "mail written");
        Ok(name)
    }

    /// Whoever watches the folder sees whole mails only.
    async fn write(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let draft = self.0.join(format!("{name}.part"));
        tokio::fs::write(&draft, bytes).await?;
        tokio::fs::rename(&draft, self.0.join(name)).await
    }
}
