//! What a program needs of the machine that runs it, read from its ELF headers.

use elf::ElfBytes;
use elf::ParseError;
use elf::abi::DT_NEEDED;
use elf::abi::EM_AARCH64;
use elf::abi::EM_X86_64;
use elf::abi::ET_DYN;
use elf::abi::ET_EXEC;
use elf::abi::PT_INTERP;
use elf::abi::STB_WEAK;
use elf::endian::AnyEndian;
use elf::file::Class;

/// What the headers of a program say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binary {
    /// Juju's name of the architecture; none for one that this charm is not built for.
    pub architecture: Option<&'static str>,
    /// Whether it is a program at all, and no object file or core.
    pub runnable: bool,
    /// Whether it asks for a dynamic loader.
    pub interpreter: bool,
    /// The shared libraries that it asks for.
    pub libraries: Vec<String>,
    /// The versions that it asks of them; weak ones, which may be missing, left out.
    pub versions: Vec<String>,
}

impl Binary {
    /// Reads the headers. Whatever is no ELF file fails.
    pub fn read(content: &[u8]) -> Result<Self, ParseError> {
        let file = ElfBytes::<AnyEndian>::minimal_parse(content)?;
        let architecture = match (file.ehdr.class, file.ehdr.e_machine) {
            (Class::ELF64, EM_X86_64) => Some("amd64"),
            (Class::ELF64, EM_AARCH64) => Some("arm64"),
            _ => None,
        };
        let mut libraries = Vec::new();
        let mut versions = Vec::new();
        let common = file.find_common_data()?;
        if let (Some(dynamic), Some(names)) = (&common.dynamic, &common.dynsyms_strs) {
            for entry in dynamic.iter().filter(|entry| entry.d_tag == DT_NEEDED) {
                let at = usize::try_from(entry.d_val())
                    .map_err(|_| ParseError::BadOffset(entry.d_val()))?;
                libraries.push(names.get(at)?.to_owned());
            }
        }
        if let (Some(symbols), Some(table)) = (&common.dynsyms, file.symbol_version_table()?) {
            for (index, symbol) in symbols.iter().enumerate() {
                if symbol.is_undefined()
                    && symbol.st_bind() != STB_WEAK
                    && let Some(asked) = table.get_requirement(index)?
                {
                    versions.push(asked.name.to_owned());
                }
            }
        }
        versions.sort();
        versions.dedup();
        Ok(Self {
            architecture,
            runnable: matches!(file.ehdr.e_type, ET_EXEC | ET_DYN),
            interpreter: file
                .segments()
                .is_some_and(|all| all.iter().any(|segment| segment.p_type == PT_INTERP)),
            libraries,
            versions,
        })
    }

    /// Whether it needs nothing of the machine but its kernel.
    pub fn is_static(&self) -> bool {
        !self.interpreter && self.libraries.is_empty()
    }

    /// What keeps it from running on an Ubuntu release; empty when nothing does.
    pub fn misses_on(&self, release: &str) -> Vec<String> {
        if self.is_static() {
            return Vec::new();
        }
        let Some((_, has)) = GLIBC.iter().find(|(name, _)| *name == release) else {
            return vec![format!("is not static, and the glibc of ubuntu {release} is not known")];
        };
        let mut missing = Vec::new();
        for library in &self.libraries {
            if !PRESENT.iter().any(|name| library.starts_with(name)) {
                missing.push(format!("needs {library}, which ubuntu {release} may not have"));
            }
        }
        for version in &self.versions {
            if let Some(wanted) = version.strip_prefix("GLIBC_")
                && minor(wanted).is_none_or(|wanted| wanted > *has)
            {
                missing.push(format!("needs {version}, but ubuntu {release} has glibc 2.{has}"));
            }
        }
        missing
    }
}

/// The minor number of a glibc version such as `2.34` or `2.2.5`.
fn minor(version: &str) -> Option<u32> {
    let mut parts = version.split('.');
    (parts.next() == Some("2")).then_some(())?;
    parts.next()?.parse().ok()
}

/// The glibc 2.x of the releases that charms run on.
const GLIBC: &[(&str, u32)] = &[("20.04", 31), ("22.04", 35), ("24.04", 39)];

/// Libraries that every Ubuntu image has: glibc's own, and the compiler's.
const PRESENT: &[&str] = &[
    "ld-linux-",
    "libc.so.6",
    "libdl.so.2",
    "libgcc_s.so.1",
    "libm.so.6",
    "libpthread.so.0",
    "libresolv.so.2",
    "librt.so.1",
];
