//! The stack of layers: those of files, and those that came over the API and live in memory only.

use std::fs;
use std::path::Path;
use std::path::PathBuf;

use crate::pebble::plan::PlanError;
use crate::pebble::plan::combine::combine;
use crate::pebble::plan::decode;
use crate::pebble::plan::entries::Entries;
use crate::pebble::plan::validate;
use crate::pebble::quote::quoted;

/// One layer.
#[derive(Clone, Debug)]
struct Layer {
    label: String,
    entries: Entries,
}

/// All layers in their order, and what they combine to.
#[derive(Debug, Default)]
pub(crate) struct Layers {
    stack: Vec<Layer>,
    plan: Entries,
}

/// What to do with a layer whose label is known.
pub(crate) struct Addition<'a> {
    pub(crate) label: &'a str,
    pub(crate) text: &'a str,
    /// Combine with the layer of that label rather than refuse.
    pub(crate) combine: bool,
    /// A layer of a sub-directory may go between others.
    pub(crate) inner: bool,
}

impl Layers {
    /// The combined plan.
    pub(crate) fn plan(&self) -> &Entries {
        &self.plan
    }

    /// Reads `NNN-label.yaml` and, in `NNN-label.d`, layers of a sub-directory.
    pub(crate) fn read(folder: &Path) -> Result<Self, String> {
        let mut layers = Self::default();
        for file in layer_files(folder)? {
            if file.path.is_dir() {
                for inner in layer_files(&file.path)? {
                    layers.push(&format!("{}/{}", file.label, inner.label), &inner.path)?;
                }
            } else {
                layers.push(&file.label, &file.path)?;
            }
        }
        layers.plan = combined(&layers.stack).map_err(PlanError::bare)?;
        Ok(layers)
    }

    fn push(&mut self, label: &str, path: &Path) -> Result<(), String> {
        if let Some(twice) = self.stack.iter().find(|layer| layer.label == label) {
            return Err(format!("invalid layer filename: {} not unique", quoted(&twice.label)));
        }
        let text =
            fs::read_to_string(path).map_err(|error| format!("cannot read layer: {error}"))?;
        let entries = parsed(label, &text).map_err(PlanError::bare)?;
        self.stack.push(Layer { label: label.to_owned(), entries });
        Ok(())
    }

    /// Adds a layer, or refuses it whole.
    pub(crate) fn add(&mut self, new: &Addition<'_>) -> Result<(), PlanError> {
        let entries = parsed(new.label, new.text)?;
        let mut stack = self.stack.clone();
        match stack.iter_mut().find(|layer| layer.label == new.label) {
            Some(known) if new.combine => combine(&mut known.entries, &entries, new.label)?,
            Some(_) => {
                return Err(PlanError::Plan(format!("layer {} already exists", quoted(new.label))));
            }
            None => {
                let at = place(&stack, new)?;
                stack.insert(at, Layer { label: new.label.to_owned(), entries });
            }
        }
        self.plan = combined(&stack)?;
        self.stack = stack;
        Ok(())
    }
}

/// Behind the last layer of the same folder, or at the end.
fn place(stack: &[Layer], new: &Addition<'_>) -> Result<usize, PlanError> {
    let folder = folder_of(new.label);
    match stack.iter().rposition(|layer| folder_of(&layer.label) == folder) {
        Some(last) if last + 1 < stack.len() => {
            if new.inner {
                Ok(last + 1)
            } else {
                Err(PlanError::Inner)
            }
        }
        Some(_) | None => Ok(stack.len()),
    }
}

fn folder_of(label: &str) -> &str {
    label.split('/').next().unwrap_or(label)
}

fn parsed(label: &str, text: &str) -> Result<Entries, PlanError> {
    if label.starts_with("pebble-") {
        let told = "cannot use reserved label prefix \"pebble-\"";
        return Err(PlanError::Layer(told.to_owned()));
    }
    let entries = decode::layer(label, text)?;
    validate::layer(&entries)?;
    Ok(entries)
}

fn combined(stack: &[Layer]) -> Result<Entries, PlanError> {
    let mut plan = Entries::default();
    for layer in stack {
        combine(&mut plan, &layer.entries, &layer.label)?;
    }
    for check in plan.checks.values_mut().filter(|check| check.threshold == 0) {
        check.threshold = 3;
    }
    validate::plan(&plan)?;
    Ok(plan)
}

struct LayerFile {
    label: String,
    path: PathBuf,
}

/// The layer files of a folder in their order; a folder that is missing has none.
fn layer_files(folder: &Path) -> Result<Vec<LayerFile>, String> {
    let Ok(listing) = fs::read_dir(folder) else { return Ok(vec![]) };
    let mut paths: Vec<PathBuf> = listing.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    let mut files = Vec::new();
    for path in paths {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let ending = if path.is_dir() { ".d" } else { ".yaml" };
        let Some(stem) = name.strip_suffix(ending) else { continue };
        let Some(label) = label_of(stem) else {
            let name = quoted(&name);
            let form = format!("must look like \"123-some-label{ending}\"");
            return Err(format!("invalid layer filename: {name} ({form})"));
        };
        files.push(LayerFile { label: label.to_owned(), path });
    }
    Ok(files)
}

/// Three digits, then a lower-case word of three letters at least, with inner dashes.
fn label_of(stem: &str) -> Option<&str> {
    let (number, label) = stem.split_once('-')?;
    let inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let fits = number.len() == 3
        && number.chars().all(|c| c.is_ascii_digit())
        && label.len() >= 3
        && label.starts_with(|c: char| c.is_ascii_lowercase())
        && label.split('-').all(|part| !part.is_empty() && part.chars().all(inner));
    fits.then_some(label)
}
