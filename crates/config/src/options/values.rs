//! The values in effect, for rows to be read from.

use super::provenance::{Provenance, Setting};
use super::row::Row;
use super::server::Limits;
use super::{FIRST_APP, app_field_key};

/// What [`Table::read`](super::Table::read) makes a configuration of.
#[derive(Clone, Copy)]
pub(crate) struct Values<'a> {
    pub(super) settings: &'a Provenance,
    /// The number of the app whose options are read.
    app: usize,
    /// The limits of the server, for what that app leaves out.
    pub(super) inherited: &'a Limits,
}

impl<'a> Values<'a> {
    /// For the options of the server.
    pub(crate) fn of_server(settings: &'a Provenance) -> Self {
        Self { settings, app: 0, inherited: &Limits::NONE }
    }

    /// For the options of an app, and those of the server.
    pub(crate) fn of_app(settings: &'a Provenance, app: usize, inherited: &'a Limits) -> Self {
        Self { settings, app, inherited }
    }

    /// What a row's field has to be.
    pub(crate) fn read<T>(self, row: &Row<T>) -> T {
        match row {
            Row::Group { read, .. } => read(self),
            Row::Option { spec, read } => match self.setting(spec.key) {
                Some(setting) => read(setting.value()),
                None => read(&spec.default.to_json()),
            },
        }
    }

    /// The value in effect of a row's option, and where it comes from; none of a group.
    pub(crate) fn setting_of<T>(self, row: &Row<T>) -> Option<&'a Setting> {
        match row {
            Row::Group { .. } => None,
            Row::Option { spec, .. } => self.setting(spec.key),
        }
    }

    fn setting(self, key: &str) -> Option<&'a Setting> {
        match key.strip_prefix(FIRST_APP) {
            Some(field) => self.settings.get(&app_field_key(self.app, field)),
            None => self.settings.get(key),
        }
    }
}
