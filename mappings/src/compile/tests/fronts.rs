//! Mistakes in code tables, widths, headers and fault tables.

use super::finds;

#[test]
fn code_tables() {
    let file = "city-a/v1/mapping.yaml";
    let status = "{ A: applied, G: granted, E: ended }";
    finds(file, status, "{ A: applied, G: granted }", "tables.status.rows", "no code for `ended`");
    finds(
        file,
        status,
        "{ A: applied, G: granted, E: over }",
        "tables.status.rows.E",
        "not a status",
    );
    finds(
        file,
        status,
        "{ A: applied, G: granted, E: ended, X: ended }",
        "operations.WLF005.reply[1].fields[6]",
        "two codes stand for one name",
    );
    finds(
        file,
        status,
        "{ A: applied, G: granted, EN: ended }",
        "operations.WLF005.reply[1].fields[6]",
        "cannot hold `EN`",
    );
    finds(file, "of: status", "of: states", "tables.status.of", "not a set of codes");
    finds(
        file,
        "length: 2, table: group,",
        "length: 2, table: reason,",
        "operations.WLF001.request[1].table",
        "is of reason",
    );
}

#[test]
fn fixed_lengths() {
    let file = "city-a/v1/mapping.yaml";
    finds(
        file,
        "header-length: 176",
        "header-length: 180",
        "layout.telegram.header-length",
        "add up to 176",
    );
    let day =
        "{ from: startDate, to: from, type: N, length: 8, convert: yyyymmdd, required: true }";
    finds(
        file,
        day,
        &day.replace("length: 8", "length: 7"),
        "operations.WLF001.request[2]",
        "cannot hold `99991231`",
    );
    finds(
        file,
        day,
        &day.replace(", convert: yyyymmdd", ""),
        "operations.WLF001.request[2]",
        "digits alone",
    );
    finds(
        file,
        day,
        &day.replace(", length: 8", ""),
        "operations.WLF001.request[2].length",
        "from 1 to",
    );
    let amount = "{ from: monthlyAmount, to: monthlyAmount, type: N, length: 12, required: true }";
    finds(
        file,
        amount,
        &amount.replace("12", "11"),
        "operations.WLF002.request[5]",
        "cannot hold `999999999999`",
    );
    finds(
        file,
        "occurs: 20",
        "occurs: 19",
        "operations.WLF005.reply[1].occurs",
        "allows 20 records",
    );
    finds(file, "        occurs: 20\n", "", "operations.WLF005.reply[1]", "wants `occurs`");
    finds(
        file,
        "receipt-length: 4096",
        "receipt-length: 9000",
        "layout.telegram.framing",
        "and 9999 can be said",
    );
    finds(
        file,
        "length-digits: 4",
        "length-digits: 9",
        "layout.telegram.framing.length-digits",
        "must be from 1 to 8",
    );
    finds(
        file,
        "length-digits: 4, inclusive: false",
        "stx-etx: lrc, offset: 4",
        "layout.telegram.framing.offset",
        "means nothing",
    );
    finds(file, "max: 9999", "max: 200", "layout.telegram.framing.max", "has 303 bytes");
    finds(
        file,
        "constant: \"0210\"",
        "constant: \"02100\"",
        "layout.telegram.header[1]",
        "cannot hold `02100`",
    );
    finds(
        file,
        "Internal: \"9999\"",
        "Internal: \"99999\"",
        "layout.telegram.header[7]",
        "cannot hold `99999`",
    );
}

#[test]
fn headers_keys_and_faults() {
    let file = "mohw/v1/mapping.yaml";
    finds(file, "zone: \"+09:00\"\n", "", "layout.soap", "wants a `zone`");
    finds(file, "zone: \"+09:00\"", "zone: KST", "zone", "must be an offset");
    finds(
        file,
        "Forbidden/wrong-provider: \"1004\"",
        "wrong-provider: \"1004\"",
        "faults.wrong-provider",
        "Kind/code",
    );
    finds(file, "organizations: { MOHW0001: mohw }\n", "", "layout.soap", "belong together");
    finds(
        file,
        "idempotency-key: [requestNumber]",
        "idempotency-key: [requestNo]",
        "operations.benefitGrant",
        "idempotency key is not in it",
    );
    finds(file, "  Internal: \"1006\"", "", "faults", "no code for Internal");
    finds(file, "  Internal: ", "  Internel: ", "faults.Internel", "must be a kind of fault");
    finds(file, "success: { code: \"0000\", message: OK }", "", "success", "is missing");
    finds("rest/v1/mapping.yaml", "\"404\"", "\"teapot\"", "faults.Unroutable", "HTTP status");
    let file = "city-b/v1/mapping.yaml";
    finds(
        file,
        "idempotency-key: [fileId, recordNumber]",
        "idempotency-key: [fileId]",
        "layout.batch",
        "must be [fileId, recordNumber]",
    );
    finds(
        file,
        "total: monthlyAmount",
        "total: sum",
        "layout.batch.total",
        "not one of the columns",
    );
    finds(file, "files: WELFARE_*.csv", "files: WELFARE.csv", "layout.batch.files", "one `*`");
    finds(
        file,
        "{ from: startDate, to: from",
        "{ from: begin, to: from",
        "operations.A.request[3]",
        "none of the columns",
    );
}

#[test]
fn methods_and_paths() {
    let file = "xroad-rest/v1/mapping.yaml";
    let line = "[GET /overlaps, POST /overlaps]";
    let found = |written: &str, path: &str, says: &str| {
        finds(file, line, written, &format!("operations.overlapCheck.http{path}"), says);
    };
    found("[FETCH /overlaps]", "[0]", "must be GET, POST");
    found("[GET overlaps]", "[0]", "a path from `/` on");
    found("[GET /overlaps/../x]", "[0]", "`..` is no segment");
    found("[GET //overlaps]", "[0]", "`` is no segment");
    found("[GET /overlaps%2F]", "[0]", "is no segment");
    found("[\"GET /overlaps/{nothing}\"]", "[0]", "no required field `nothing`");
    found("[GET /overlaps, GET /overlaps]", "[1]", "another operation is called by this");
    found("[GET /history]", "[0]", "another operation");
    let of_all = |written: &str, says: &str| {
        finds(file, line, written, "operations.overlapCheck", says);
    };
    of_all("[\"GET /{group}\"]", "must begin with a service code");
    of_all("[GET /listMethods]", "is a metaservice");
    finds(
        file,
        "http: [POST /benefits]",
        "http: [GET /benefits]",
        "operations.benefitGrant.http[0]",
        "changes something",
    );
}

#[test]
fn xroad_identifiers_and_error_types() {
    let file = "xroad-rest/v1/mapping.yaml";
    let provider = "KR/GOV/NARU/welfare";
    let at = "layout.xroad-rest.provider";
    finds(file, provider, "KR/GOV/NARU", at, "must name a subsystem");
    finds(file, provider, "KR/GOV/../welfare", at, "no identifier may have");
    finds(file, "KR/COM/PORTAL/portal:", "KR/COM:", "organizations.KR/COM", "has 2 parts");
    let faults = "faults: { Forbidden: Server.Other }\noperations:\n";
    finds(file, "operations:\n", faults, "faults.Forbidden", "must be a status, or a type");
    let faults = "faults: { Other: Client.X }\noperations:\n";
    finds(file, "operations:\n", faults, "faults.Other", "a kind of fault");
}
