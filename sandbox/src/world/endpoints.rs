//! `endpoints.json`: everything that an outside program needs to talk to the world.

use serde_json::json;

use super::anvil::CHAIN_ID;
use super::contract::Contract;
use super::layout::{Layout, LayoutError};
use super::ports::Ports;
use crate::people::{Person, SAMPLE, tour};

/// Writes the file. Its paths are relative to its own folder, so that the folder may be moved.
pub(super) fn write(
    layout: &Layout,
    ports: &Ports,
    contract: &Contract,
) -> Result<(), LayoutError> {
    let url = |scheme: &str, port: u16| format!("{scheme}://127.0.0.1:{port}");
    let (http, https) = (url("http", ports.http), url("https", ports.https));
    let admin = url("http", ports.admin);
    let resident =
        |person: Person| json!({ "name": person.name, "residentNumber": person.resident_number });
    let endpoints = json!({
        "paths": "relative to the folder of this file",
        "http": { "url": http, "rest": format!("{http}/v1/welfare/{{service}}"), "apiKeyHeader": "X-API-Key" },
        "https": {
            "url": https,
            "rest": format!("{https}/v1/welfare/{{service}}"),
            "authority": "pki/ca.pem",
            "clientCertificate": "optional; identifies a member that lists it",
        },
        "openapi": format!("{http}/v1/welfare/openapi.json"),
        "xroadRest": {
            "url": format!("{https}/r1/KR/GOV/NARU/welfare/{{service}}"),
            "plainUrl": format!("{http}/r1/KR/GOV/NARU/welfare/{{service}}"),
            "listClients": format!("{http}/listClients"),
            "clients": {
                "mohw": "KR/GOV/MOHW/haengbok",
                "city-a": "KR/MUN/CITYA/welfare",
                "portal": "KR/COM/PORTAL/portal",
            },
        },
        "soap": {
            "url": format!("{https}/soap/welfare"),
            "wsdl": format!("{https}/soap/welfare?wsdl"),
            "plainUrl": format!("{http}/soap/welfare"),
            "plainWsdl": format!("{http}/soap/welfare?wsdl"),
        },
        "soap12": {
            "url": format!("{https}/soap/welfare12"),
            "wsdl": format!("{https}/soap/welfare12?wsdl"),
            "plainUrl": format!("{http}/soap/welfare12"),
            "plainWsdl": format!("{http}/soap/welfare12?wsdl"),
        },
        "xroadSoap": {
            "url": https,
            "plainUrl": http,
            "wsdl": format!("{https}/soap/welfare-xroad?wsdl"),
            "plainWsdl": format!("{http}/soap/welfare-xroad?wsdl"),
            "provider": "KR/GOV/NARU/welfare",
            "clients": { "mohw": "KR/GOV/MOHW/haengbok", "city-a": "KR/MUN/CITYA/welfare", "portal": "KR/COM/PORTAL/portal" },
        },
        "grpc": { "target": format!("127.0.0.1:{}", ports.grpc), "service": "naru.v1.Gateway", "authority": "pki/ca.pem", "apiKeyMetadata": "x-api-key" },
        "telegram": { "host": "127.0.0.1", "port": ports.telegram, "front": "welfare/city-a/v1" },
        "telegramMainframe": { "host": "127.0.0.1", "port": ports.city_c, "front": "welfare/city-c/v1" },
        "residentRegister": { "host": "127.0.0.1", "port": ports.register, "mapping": "population/mois-telegram/v1" },
        "batch": {
            "folder": "inbox/city-b",
            "file": "WELFARE_{name}.csv",
            "result": "WELFARE_{name}.result.csv",
            "done": "inbox/city-b/done",
            "refused": "inbox/city-b/refused",
        },
        "batchFixed": {
            "folder": "inbox/city-d",
            "file": "WLFD{name}.dat or WLFD{name}.dat.gz",
            "result": "WLFD{name}.result.dat",
            "done": "inbox/city-d/done",
            "refused": "inbox/city-d/refused",
        },
        "admin": {
            "url": admin,
            "consents": format!("{admin}/admin/consents"),
            "bearerKey": "keys/operator.api-key",
            "live": format!("{admin}/livez"),
            "ready": format!("{admin}/readyz"),
            "metrics": format!("{admin}/metrics"),
        },
        "ledger": {
            "rpc": url("http", ports.ledger),
            "chainId": CHAIN_ID,
            "contract": contract.address,
            "artifact": "contract/Welfare.json",
        },
        "evidence": {
            "log": "log",
            "checkpoint": "log/checkpoint",
            "verifierKey": "keys/log.key.pub",
            "receipts": "receipts",
        },
        "members": [
            {
                "id": "mohw",
                "apiKey": "keys/mohw.api-key",
                "certificate": "pki/mohw.pem",
                "key": "pki/mohw.key",
            },
            { "id": "city-a", "apiKey": "keys/city-a.api-key" },
            { "id": "city-b", "folder": "inbox/city-b" },
            { "id": "city-c", "apiKey": "keys/city-c.api-key" },
            { "id": "city-d", "folder": "inbox/city-d" },
            { "id": "portal", "apiKey": "keys/portal.api-key" },
        ],
        "strangers": {
            "unregistered": { "certificate": "pki/unregistered.pem", "key": "pki/unregistered.key" },
            "otherAuthority": { "certificate": "pki/stranger.pem", "key": "pki/stranger.key" },
        },
        "residents": { "sample": resident(SAMPLE), "tour": tour().map(resident).collect::<Vec<_>>() },
        "samples": "samples/README.md",
        "logs": { "gateway": "gateway.log", "ledger": "anvil.log" },
        "configuration": "naru.toml",
    });
    layout.write("endpoints.json", format!("{endpoints:#}\n"))
}
