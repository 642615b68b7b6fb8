//! Mistakes in the mapping of a backend.

use super::{finds, load};

#[test]
fn backends() {
    let file = "ledger/v1/mapping.yaml";
    let grant = "operations.benefitApply.request";
    finds(
        file,
        "    function: overlapCheck\n",
        "",
        "operations.overlapCheck.function",
        "is missing",
    );
    finds(
        file,
        "type: uint64, from: monthlyAmount",
        "type: uint32, from: monthlyAmount",
        &format!("{grant}[7].type"),
        "does not hold 0 to 999999999999",
    );
    finds(
        file,
        "from: $caller, convert: ascii",
        "from: caller, convert: ascii",
        &format!("{grant}[4].from"),
        "no request field `caller`",
    );
    finds(
        file,
        "domain: { from: programme, via: group-of-programme }",
        "domain: { from: name }",
        &format!("{grant}[1].domain.from"),
        "must be a `code`",
    );
    finds(
        file,
        "domain: { from: programme, via: group-of-programme }",
        "domain: { from: programme, via: x }",
        &format!("{grant}[1].domain.via"),
        "no table `x`",
    );
    finds(
        file,
        "from: programme, convert: ascii }",
        "from: programme }",
        &format!("{grant}[3]"),
        "no way from a code",
    );
    finds(
        file,
        "type: bytes32, from: $key",
        "type: uint64, from: $key",
        &format!("{grant}[0].type"),
        "bytes32",
    );
    finds(
        file,
        "from: application, zeros: none",
        "from: application",
        "operations.benefitGrant.request[1]",
        "for a field that may be absent",
    );
    finds(
        file,
        "from: $request.end",
        "from: $request.reason",
        "operations.benefitEnd.reply[1].from",
        "request field of the same type",
    );
    finds(
        file,
        "\"3\": ended",
        "three: ended",
        "operations.history.reply[1].fields[6].table",
        "not a number",
    );
    finds(
        file,
        "      - { from: $request.end, to: end, required: true }\n",
        "",
        "operations.benefitEnd.reply",
        "requires `end`",
    );
    let services = "services.yaml";
    let problems = load(&[(services, "group: [livelihood", "group: [consent, livelihood")]);
    assert!(problems.iter().any(|problem| problem.message.contains("domain of the gateway's own")));
}

#[test]
fn constants() {
    let file = "ledger/v1/mapping.yaml";
    let to = "      - { to: to, type: uint32, from: to, convert: day-number }\n";
    let constant = |text: &str, kind: &str| {
        format!("{to}      - {{ to: x, type: {kind}, constant: {text} }}\n")
    };
    for (text, kind) in [("255", "uint8"), ("true", "bool"), ("word", "bytes32")] {
        assert_eq!(load(&[(file, to, &constant(text, kind))]), []);
    }
    for (text, kind) in [("256", "uint8"), ("word", "uint32"), ("maybe", "bool")] {
        let path = "operations.overlapCheck.request[4].constant";
        finds(file, to, &constant(text, kind), path, "not of this type");
    }
}
