//! `credential-get`: the cloud's address and a token, for applications that are trusted.

use super::Call;
use super::Refusal;
use crate::juju::flags::FORMAT;
use crate::juju::flags::OUTPUT;
use crate::juju::output::Value;

/// Prints a cloud that is none: address and token lead nowhere.
pub(super) fn get(call: &mut Call<'_>) -> Result<String, Refusal> {
    let parsed = call.parse(&[FORMAT, OUTPUT])?;
    parsed.at_most(0)?;
    let record = call.world.model.applications.get(&call.context.application);
    if !record.is_some_and(|application| application.trust) {
        let text = "cannot access cloud credentials: getting model credentials: permission denied";
        return Err(Refusal::Failed(text.to_owned()));
    }
    let is_json = parsed.value(FORMAT) == Some("json");
    let text = |key: &str, text: &str| (key.to_owned(), Value::Text(text.to_owned()));
    let pair = |key: &str, value| (key.to_owned(), value);
    let token = Value::Map(vec![text("Token", "TOKEN")]);
    let mut cloud = vec![
        text("type", "kubernetes"),
        text("name", "microk8s"),
        text("region", "localhost"),
        text("endpoint", "https://10.152.183.1:443"),
    ];
    let certificates = pair("cacertificates", Value::List(vec!["CA-CERT".to_owned()]));
    // Only JSON has the names that are meant; YAML shows the fields as they are called inside.
    if is_json {
        let credential = vec![text("auth-type", "oauth2"), pair("attrs", token)];
        cloud.extend([pair("credential", Value::Map(credential)), certificates]);
    } else {
        let credential = vec![
            text("authtype", "oauth2"),
            pair("attributes", token),
            pair("redacted", Value::List(Vec::new())),
        ];
        cloud.extend([
            text("identityendpoint", ""),
            text("storageendpoint", ""),
            pair("credential", Value::Map(credential)),
            certificates,
            pair("skiptlsverify", Value::Bool(false)),
            pair("iscontrollercloud", Value::Bool(false)),
        ]);
    }
    call.print(&parsed, "smart", &Value::Map(cloud))
}
