//! The catalog: a folder of mappings, loaded and checked as a whole.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use gateway_core::{Front, Mapping, Pseudonymize, Purpose, Service, ServiceId};
use serde::de::DeserializeOwned;

use crate::backend::Backend;
use crate::compile::{self, Entry, Purposes};
use crate::format::{MappingFile, PurposesFile, ServicesFile};
use crate::front::{
    BatchFront, GrpcFront, RestFront, SoapFront, TelegramFront, XRoadFront, XmlFront,
};
use crate::layout::json::JsonKind;
use crate::operations::Operation;
use crate::problem::{Problem, Spot};
use crate::provider::Provide;
use crate::terms::{Sector, Terms, Type};

const FORMAT: &str = "mapping/v1";

/// All services, fronts and backend mappings of a folder
/// `<root>/<sector>/{services.yaml,purposes.yaml,<system>/v<N>/mapping.yaml}`.
#[derive(Default)]
pub struct Catalog {
    services: BTreeMap<ServiceId, Arc<Service>>,
    /// By name.
    pub(crate) sectors: BTreeMap<String, Sector>,
    fronts: BTreeMap<String, FrontEntry>,
    grpc: Arc<GrpcFront>,
    pub(crate) backends: BTreeMap<String, BackendEntry>,
    terms: BTreeMap<ServiceId, Arc<Terms>>,
}

/// A backend's mapping of either kind.
#[derive(Clone)]
pub(crate) enum BackendEntry {
    /// Named functions with arguments.
    Contract(Arc<Backend>),
    /// Messages.
    Provider(Arc<dyn Provide>),
}

impl BackendEntry {
    /// A service that it offers, by its code.
    pub(crate) fn service(&self, code: &str) -> Option<&Service> {
        match self {
            Self::Contract(backend) => {
                backend.functions.get(code).map(|function| &*function.service)
            }
            Self::Provider(provider) => provider.service(code).map(|service| &**service),
        }
    }
}

/// A front of one of the formats.
#[derive(Clone)]
pub enum FrontEntry {
    /// eGovFrame and other SOAP 1.1 services.
    Soap(Arc<SoapFront>),
    /// Fixed-length telegrams.
    Telegram(Arc<TelegramFront>),
    /// CSV files.
    Batch(Arc<BatchFront>),
    /// JSON over HTTP.
    Rest(Arc<RestFront>),
    /// Plain XML over HTTP.
    Xml(Arc<XmlFront>),
    /// X-Road's REST protocol.
    XRoadRest(Arc<XRoadFront>),
}

impl FrontEntry {
    /// What the formats have in common.
    pub fn as_front(&self) -> Arc<dyn Front> {
        match self {
            Self::Soap(front) => front.clone(),
            Self::Telegram(front) => front.clone(),
            Self::Batch(front) => front.clone(),
            Self::Rest(front) => front.clone(),
            Self::Xml(front) => front.clone(),
            Self::XRoadRest(front) => front.clone(),
        }
    }
}

impl Catalog {
    /// Loads a catalog and checks everything that can be known beforehand.
    ///
    /// # Errors
    /// Every problem found, in the order of the files.
    pub fn load(root: &Path, pseudonyms: Arc<dyn Pseudonymize>) -> Result<Self, Vec<Problem>> {
        let mut found = Vec::new();
        let mut catalog = Self::default();
        let mut folder = Folder::new(root, &mut found);
        let mut derived = Vec::new();
        for sector in folder.subfolders(root) {
            derived.extend(catalog.load_sector(&sector, &mut folder, &pseudonyms));
        }
        catalog.grpc = Arc::new(GrpcFront::new(derived));
        if catalog.services.is_empty() && found.is_empty() {
            let mut spot = Spot::new(&mut found, "");
            spot.problem(format_args!("{} holds no <sector>/services.yaml", root.display()));
        }
        match found.is_empty() {
            true => Ok(catalog),
            false => Err(found),
        }
    }

    fn load_sector(
        &mut self,
        path: &Path,
        folder: &mut Folder<'_>,
        pseudonyms: &Arc<dyn Pseudonymize>,
    ) -> Vec<Operation<JsonKind>> {
        let services = path.join("services.yaml");
        let Some(file) = folder.parse::<ServicesFile>(&services) else {
            return vec![];
        };
        let name = folder.name(&services);
        let mut spot = Spot::new(folder.found, &name);
        if !path.ends_with(&file.sector) {
            spot.key("sector").problem("must be the name of the folder");
        }
        let purposes = folder.purposes(path, &file.sector);
        let mut spot = Spot::new(folder.found, &name);
        let sector = compile::compile_services(&file, purposes, &mut spot);
        for terms in sector.services.values() {
            self.services.insert(terms.service.id.clone(), terms.service.clone());
            self.terms.insert(terms.service.id.clone(), terms.clone());
        }
        let derived = compile::derived_operations(&sector, &mut spot);
        for system in folder.subfolders(path) {
            for version in folder.subfolders(&system) {
                let path = version.join("mapping.yaml");
                self.load_mapping(&path, &sector, folder, pseudonyms);
            }
        }
        self.sectors.insert(file.sector, sector);
        derived
    }

    fn load_mapping(
        &mut self,
        path: &Path,
        sector: &Sector,
        folder: &mut Folder<'_>,
        pseudonyms: &Arc<dyn Pseudonymize>,
    ) {
        let Some(file) = folder.parse::<MappingFile>(path) else {
            return;
        };
        let name = folder.name(path);
        let id = format!("{}/{}/v{}", file.sector, file.system, file.version);
        let mut spot = Spot::new(folder.found, &name);
        if file.naru != FORMAT {
            spot.key("naru").problem(format_args!("must be `{FORMAT}`"));
        }
        if file.sector != *sector.name || name != format!("{id}/mapping.yaml") {
            spot.problem("`sector`, `system` and `version` must be as the folders are named");
        }
        match compile::compile(&id, &file, sector, pseudonyms, &mut spot) {
            Some(Entry::Front(front)) => {
                self.fronts.insert(id, front);
            }
            Some(Entry::Backend(backend)) => {
                self.backends.insert(id, backend);
            }
            None => {}
        }
    }

    /// Every service of every sector.
    pub fn services(&self) -> impl Iterator<Item = &Arc<Service>> {
        self.services.values()
    }

    /// What keeps requests of a service from being told apart by these values of a field.
    pub fn condition_problem(
        &self,
        service: &ServiceId,
        field: &str,
        values: &[String],
    ) -> Option<String> {
        let terms = self.terms.get(service)?;
        match terms.request.get(field).map(|field| &field.kind) {
            None => Some(format!("{service} has no request field {field}")),
            Some(Type::Code(set)) => {
                let unknown = values.iter().find(|value| !set.members.contains(value.as_str()))?;
                Some(format!("{unknown} is none of {}", set.name))
            }
            Some(Type::Text { .. } | Type::Integer { .. } | Type::Flag | Type::Date) => None,
            Some(kind) => Some(format!("a {} is no reason to take another way", kind.name())),
        }
    }

    /// Every registered purpose of every sector.
    pub fn purposes(&self) -> impl Iterator<Item = &Arc<Purpose>> {
        self.sectors.values().flat_map(|sector| sector.purposes.values())
    }

    /// The front of a mapping, e.g. `welfare/mohw/v1`.
    pub fn front(&self, id: &str) -> Option<&FrontEntry> {
        self.fronts.get(id)
    }

    /// Every front by the id of its mapping.
    pub fn fronts(&self) -> impl Iterator<Item = (&str, &FrontEntry)> {
        self.fronts.iter().map(|(id, front)| (id.as_str(), front))
    }

    /// Every service over gRPC, in its own terms.
    pub fn grpc(&self) -> &Arc<GrpcFront> {
        &self.grpc
    }

    /// The mapping of a backend, e.g. `welfare/ledger/v1`.
    pub fn mapping(&self, id: &str) -> Option<Arc<dyn Mapping>> {
        Some(match self.backends.get(id)? {
            BackendEntry::Contract(backend) => backend.clone(),
            BackendEntry::Provider(provider) => provider.clone(),
        })
    }
}

/// Reads files below a root, collecting what goes wrong.
pub(crate) struct Folder<'a> {
    root: &'a Path,
    found: &'a mut Vec<Problem>,
}

impl<'a> Folder<'a> {
    pub(crate) fn new(root: &'a Path, found: &'a mut Vec<Problem>) -> Self {
        Self { root, found }
    }

    pub(crate) fn name(&self, path: &Path) -> String {
        let name = path.strip_prefix(self.root).unwrap_or(path);
        name.to_string_lossy().into_owned()
    }

    pub(crate) fn subfolders(&mut self, path: &Path) -> Vec<PathBuf> {
        let mut folders: Vec<PathBuf> = match fs::read_dir(path) {
            Ok(entries) => entries.flatten().map(|entry| entry.path()).collect(),
            Err(error) => {
                let name = self.name(path);
                Spot::new(self.found, &name).problem(format_args!("cannot be read: {error}"));
                return vec![];
            }
        };
        folders.retain(|path| path.is_dir() && !path.ends_with("cases"));
        folders.sort();
        folders
    }

    /// The purposes of a sector; none where no file registers any.
    fn purposes(&mut self, sector: &Path, name: &str) -> Purposes {
        let path = sector.join("purposes.yaml");
        if !path.exists() {
            return Purposes::new();
        }
        let Some(file) = self.parse::<PurposesFile>(&path) else {
            return Purposes::new();
        };
        let file_name = self.name(&path);
        compile::compile_purposes(&file, name, &mut Spot::new(self.found, &file_name))
    }

    pub(crate) fn parse<T: DeserializeOwned>(&mut self, path: &Path) -> Option<T> {
        let name = self.name(path);
        let mut spot = Spot::new(self.found, &name);
        let text = match fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) => {
                spot.problem(format_args!("cannot be read: {error}"));
                return None;
            }
        };
        match serde_saphyr::from_str(&text) {
            Ok(file) => Some(file),
            Err(error) => {
                spot.problem(error.to_string().trim());
                None
            }
        }
    }
}
