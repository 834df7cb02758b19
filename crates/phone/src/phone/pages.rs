//! Phone services: XML pages that the phone fetches, shows as text, fills in and sends back.

use std::fmt::Write;

use jackfield_sip::Now;
use roxmltree::Node;

use super::Phone;
use crate::boot::split_url;
use crate::fetch::{FetchRequest, Fetched};
use crate::interface::PhoneOutput;
use crate::settings::Door;

/// The page that is open, and the one on its way.
#[derive(Debug, Default)]
pub(super) struct Browser {
    page: Option<Page>,
    /// The fetch under way, and the address it is for.
    pending: Option<(u64, String)>,
    trouble: Option<String>,
    redirects: u8,
}

#[derive(Debug, Default, PartialEq, Eq)]
struct Page {
    title: String,
    prompt: String,
    text: String,
    /// Names with what choosing them opens.
    items: Vec<(String, String)>,
    fields: Vec<Field>,
    /// Where the fields go.
    target: String,
    /// The page's own address, to which others are relative.
    address: String,
    softkeys: Vec<(String, String)>,
}

#[derive(Debug, PartialEq, Eq)]
struct Field {
    name: String,
    parameter: String,
    secret: bool,
    value: String,
}

impl Browser {
    pub(super) fn close(&mut self) {
        *self = Self::default();
    }

    pub(super) fn fill(&mut self, field: Option<&str>, text: &str) {
        let Some(page) = &mut self.page else { return };
        let chosen = match field {
            Some(name) => page.fields.iter_mut().find(|field| {
                field.name.eq_ignore_ascii_case(name) || field.parameter.eq_ignore_ascii_case(name)
            }),
            None => page.fields.iter_mut().find(|field| field.value.is_empty()),
        };
        if let Some(field) = chosen {
            field.value = text.chars().take(FIELD).collect();
        }
    }

    pub(super) fn lines(&self) -> Vec<String> {
        let mut lines: Vec<String> = self.trouble.clone().into_iter().collect();
        if self.pending.is_some() {
            lines.push("Requesting ...".to_owned());
        }
        let Some(page) = &self.page else { return lines };
        let shown = [&page.title, &page.text].into_iter().filter(|text| !text.is_empty());
        lines.extend(shown.flat_map(|text| text.lines()).map(|line| line.trim().to_owned()));
        for (place, (name, _)) in page.items.iter().enumerate() {
            lines.push(format!("{}. {name}", place + 1));
        }
        for field in &page.fields {
            let value = match field.secret {
                true => "*".repeat(field.value.chars().count()),
                false => field.value.clone(),
            };
            lines.push(format!("{}: {value}", field.name));
        }
        if !page.prompt.is_empty() {
            lines.push(page.prompt.clone());
        }
        lines
    }
}

impl Phone {
    /// The list of services, or one of them.
    pub(super) fn services(&mut self, place: Option<usize>, out: &mut Vec<PhoneOutput>) {
        let services = &self.profile.services;
        if let Some(place) = place {
            match place.checked_sub(1).and_then(|index| services.get(index)) {
                Some(service) => {
                    let url = service.url.to_string();
                    self.open(&url, out);
                }
                None => self.browser.trouble = Some("No such service".into()),
            }
            return;
        }
        if !self.profile.services_url.is_empty() {
            let url = self.profile.services_url.to_string();
            self.open(&url, out);
            return;
        }
        let items = services.iter().map(|one| (one.name.to_string(), one.url.to_string()));
        let page = Page { title: "Services".into(), items: items.collect(), ..Default::default() };
        self.browser = Browser { page: Some(page), ..Default::default() };
    }

    /// Fetches a page.
    pub(super) fn open(&mut self, url: &str, out: &mut Vec<PhoneOutput>) {
        let base = self.browser.page.as_ref().map(|page| page.address.clone()).unwrap_or_default();
        let url = resolve(&base, &url.replace("#DEVICENAME#", &self.settings.device_name()));
        let Some((at, path)) = split_url(&url) else {
            self.browser.trouble = Some("The page's address is not understood".into());
            return;
        };
        let (host, port) = at.unwrap_or((self.settings.server, self.settings.http_port));
        let id = self.fetch_number();
        let headers = vec![
            ("x-CiscoIPPhoneModelName".to_owned(), self.settings.model.to_string()),
            ("x-CiscoIPPhoneDeviceName".to_owned(), self.settings.device_name()),
        ];
        self.browser.pending = Some((id, url));
        self.browser.trouble = None;
        let request = FetchRequest { id, door: Door::Http, host, port, path, headers };
        out.push(PhoneOutput::Fetch(request));
    }

    /// A page came; false when the answer is for somebody else.
    pub(super) fn page_fetched(
        &mut self,
        id: u64,
        fetched: &Fetched,
        out: &mut Vec<PhoneOutput>,
    ) -> bool {
        let Some((_, url)) = self.browser.pending.take_if(|(open, _)| *open == id) else {
            return false;
        };
        match fetched {
            Fetched::Found(bytes) => {
                self.browser.redirects = 0;
                let text = String::from_utf8_lossy(bytes);
                match Page::read(&text, &url) {
                    Ok(Content::Page(page)) => self.browser.page = Some(page),
                    Ok(Content::Execute(urls)) => {
                        for url in urls {
                            self.execute(Now::ZERO, &url, out);
                        }
                    }
                    Err(trouble) => self.browser.trouble = Some(trouble),
                }
            }
            Fetched::Moved(location) if self.browser.redirects < REDIRECTS => {
                self.browser.redirects += 1;
                self.open(&resolve(&url, location), out);
            }
            Fetched::Moved(_) => self.browser.trouble = Some("Too many redirections".into()),
            Fetched::NotFound => self.browser.trouble = Some("Page not found".into()),
            Fetched::Failed(reason) => self.browser.trouble = Some(format!("No page: {reason}")),
        }
        true
    }

    pub(super) fn select(&mut self, now: Now, place: usize, out: &mut Vec<PhoneOutput>) {
        let item = self
            .browser
            .page
            .as_ref()
            .and_then(|page| page.items.get(place.checked_sub(1)?).map(|(_, url)| url.clone()));
        if let Some(url) = item {
            self.execute(now, &url, out);
        }
    }

    pub(super) fn submit(&mut self, now: Now, out: &mut Vec<PhoneOutput>) {
        let Some(page) = &self.browser.page else { return };
        let mut url = page.target.clone();
        if url.is_empty() {
            // A page without fields goes on by its first softkey that leads somewhere.
            let next = page.softkeys.iter().find(|(_, url)| !url.starts_with("SoftKey:"));
            if let Some((_, url)) = next {
                let url = url.clone();
                self.execute(now, &url, out);
            }
            return;
        }
        for field in &page.fields {
            url.push(if url.contains('?') { '&' } else { '?' });
            url.push_str(&format!("{}={}", field.parameter, query(&field.value)));
        }
        self.open(&url, out);
    }

    /// Does what an address says: opens it, dials, or presses a key.
    pub(super) fn execute(&mut self, now: Now, url: &str, out: &mut Vec<PhoneOutput>) {
        if let Some(number) = url.strip_prefix("Dial:") {
            let number = number.split(':').next().unwrap_or_default().to_owned();
            self.dial_for(now, &number, out);
        } else if url == "SoftKey:Exit" || url == "Init:Services" {
            self.browser.close();
        } else if url == "SoftKey:Submit" {
            self.submit(now, out);
        } else if url == "Key:Services" {
            self.services(None, out);
        } else if !url.is_empty() && !url.starts_with("Key:") && !url.starts_with("SoftKey:") {
            self.open(url, out);
        }
    }
}

enum Content {
    Page(Page),
    Execute(Vec<String>),
}

impl Page {
    fn read(text: &str, address: &str) -> Result<Content, String> {
        let options = roxmltree::ParsingOptions { nodes_limit: 10_000, ..Default::default() };
        let document = roxmltree::Document::parse_with_options(text.trim(), options)
            .map_err(|error| format!("The page is no XML: {error}"))?;
        let root = document.root_element();
        let mut page = Page {
            title: value(root, "Title"),
            prompt: value(root, "Prompt"),
            text: value(root, "Text"),
            target: value(root, "URL"),
            address: address.to_owned(),
            ..Default::default()
        };
        match root.tag_name().name() {
            "CiscoIPPhoneText" | "CiscoIPPhoneStatus" => page.target.clear(),
            "CiscoIPPhoneError" => page.text = format!("Error {}", value_of(root, "Number")),
            "CiscoIPPhoneMenu" | "CiscoIPPhoneIconMenu" => {
                page.items = named(root, "MenuItem", "Name", "URL");
            }
            "CiscoIPPhoneDirectory" => {
                let entries = named(root, "DirectoryEntry", "Name", "Telephone");
                page.items = entries
                    .into_iter()
                    .map(|(name, number)| (name, format!("Dial:{number}")))
                    .collect();
            }
            "CiscoIPPhoneInput" => {
                page.fields = root.children().filter_map(field).take(FIELDS).collect();
            }
            "CiscoIPPhoneExecute" => {
                let items = root.descendants().filter(|node| node.has_tag_name("ExecuteItem"));
                let urls = items.filter_map(|node| node.attribute("URL")).take(ITEMS);
                return Ok(Content::Execute(urls.map(str::to_owned).collect()));
            }
            other => return Err(format!("The phone can't show <{other}>")),
        }
        page.softkeys = named(root, "SoftKeyItem", "Name", "URL");
        Ok(Content::Page(page))
    }
}

fn field(node: Node<'_, '_>) -> Option<Field> {
    node.has_tag_name("InputItem").then(|| Field {
        name: value(node, "DisplayName"),
        parameter: value(node, "QueryStringParam"),
        secret: value(node, "InputFlags").contains('P'),
        value: value(node, "DefaultValue"),
    })
}

fn named(root: Node<'_, '_>, item: &str, name: &str, url: &str) -> Vec<(String, String)> {
    root.children()
        .filter(|node| node.has_tag_name(item))
        .map(|node| (value(node, name), value(node, url)))
        .take(ITEMS)
        .collect()
}

fn value(node: Node<'_, '_>, name: &str) -> String {
    let child = node.children().find(|child| child.has_tag_name(name));
    child.and_then(|child| child.text()).unwrap_or_default().trim().to_owned()
}

fn value_of(node: Node<'_, '_>, name: &str) -> String {
    node.attribute(name).unwrap_or_default().to_owned()
}

/// An address relative to the page it stood on.
fn resolve(base: &str, url: &str) -> String {
    if url.contains("://") || base.is_empty() {
        return url.to_owned();
    }
    let authority = base.find("://").map_or(0, |at| at + 3);
    let path = base[authority..].find('/').map_or(base.len(), |at| authority + at);
    if url.starts_with('/') {
        return format!("{}{url}", &base[..path]);
    }
    let without_query = base.split('?').next().unwrap_or_default();
    if url.starts_with('?') {
        return format!("{without_query}{url}");
    }
    let folder = without_query.rfind('/').filter(|at| *at >= path).unwrap_or(path);
    format!("{}/{url}", &base[..folder.min(base.len())])
}

/// A value for a query.
fn query(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            // Writing into a string can't fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

const FIELD: usize = 128;
const FIELDS: usize = 16;
const ITEMS: usize = 100;
const REDIRECTS: u8 = 4;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_input_page_is_shown_filled_and_hides_its_secrets() {
        let text = "<CiscoIPPhoneInput><Title>Sign in</Title><Prompt>Enter</Prompt>\
            <URL>http://127.0.0.1/go?x=1</URL>\
            <InputItem><DisplayName>User</DisplayName><QueryStringParam>u</QueryStringParam>\
            <InputFlags>A</InputFlags></InputItem>\
            <InputItem><DisplayName>PIN</DisplayName><QueryStringParam>p</QueryStringParam>\
            <InputFlags>NP</InputFlags></InputItem></CiscoIPPhoneInput>";
        let Ok(Content::Page(page)) = Page::read(text, "http://127.0.0.1/a/b") else { panic!() };
        let mut browser = Browser { page: Some(page), ..Default::default() };
        browser.fill(None, "ann");
        browser.fill(Some("p"), "1234");
        assert_eq!(browser.lines(), ["Sign in", "User: ann", "PIN: ****", "Enter"]);
    }

    #[test]
    fn addresses_are_relative_to_their_page() {
        for (url, whole) in [
            ("http://b/x", "http://b/x"),
            ("/x?y", "http://a:1/x?y"),
            ("x", "http://a:1/d/x"),
            ("?q", "http://a:1/d/e?q"),
        ] {
            assert_eq!(resolve("http://a:1/d/e?f", url), whole);
        }
        assert_eq!(resolve("http://a", "x"), "http://a/x");
        assert_eq!(query("a b&c=é"), "a%20b%26c%3D%C3%A9");
    }

    proptest! {
        #[test]
        fn no_page_makes_it_fall(text in "(<CiscoIPPhone(Menu|Input|Text)>|<[A-Za-z]{1,9}>|[a-z]{0,4}|</[A-Za-z]{1,9}>){0,12}") {
            let _ = Page::read(&text, "http://a/");
        }

        #[test]
        fn no_address_makes_it_fall(base in "[a-z:/?.]{0,20}", url in "[a-z:/?.]{0,20}") {
            resolve(&base, &url);
        }
    }
}
