//! Mistakes in the records of batch files.

use super::finds;

const CSV: &str = "city-b/v1/mapping.yaml";
const FIXED: &str = "city-d/v1/mapping.yaml";

#[test]
fn columns_and_their_roles() {
    let batch = "layout.batch";
    finds(
        CSV,
        "total: monthlyAmount",
        "total: sum",
        "layout.batch.total",
        "not one of the columns",
    );
    finds(CSV, "operation: operation", "operation: op", "layout.batch.operation", "not one of");
    finds(CSV, "number: recordNumber", "number: no", "layout.batch.number", "not one of");
    finds(
        CSV,
        "results: [benefitId]",
        "sequence: person\n    results: [benefitId]",
        "layout.batch.sequence",
        "not one of the columns",
    );
    finds(CSV, "files: WELFARE_*.csv", "files: W_*_*.csv", "layout.batch.files", "one `*`");
    let typed = "columns: [{ name: recordNumber, type: N, length: 7 }, operation";
    finds(CSV, "columns: [recordNumber, operation", typed, batch, "mean nothing in CSV");
    finds(
        CSV,
        "results: [benefitId]",
        "encoding: latin-1\n    results: [benefitId]",
        "",
        "unknown variant",
    );
}

#[test]
fn trailers_and_marks() {
    let trailer = "trailer: [{ name: count, is: count }]\n    results: [benefitId]";
    finds(CSV, "results: [benefitId]", trailer, "layout.batch.trailer", "`is: total`");
    finds(FIXED, ", is: count }", " }", "layout.batch.trailer", "`is: count`");
    finds(FIXED, "    total: monthlyAmount\n", "", "layout.batch.trailer", "no column is the");
    finds(FIXED, "data: \"20\"", "data: \"10\"", "layout.batch.marks", "marks two kinds");
    finds(FIXED, "data: \"20\"", "data: \"2\"", "layout.batch.marks", "of one length");
    finds(FIXED, "data: \"20\"", "data: \"2,\"", "layout.batch.marks", "letters and digits");
}

#[test]
fn lengths_of_fixed_records() {
    finds(
        FIXED,
        "record-length: 80",
        "record-length: 73",
        "layout.batch.fixed.record-length",
        "the data record has 74 bytes",
    );
    finds(
        FIXED,
        "code-length: 4",
        "code-length: 3",
        "layout.batch.fixed.code-length",
        "cannot hold `9999`",
    );
    finds(
        FIXED,
        "record-length: 80,",
        "record-length: 80, line-ends: false,",
        "layout.batch.fixed.receipt-length",
        "is wanted",
    );
    finds(
        FIXED,
        "{ name: benefitId, type: AN, length: 64 }",
        "{ name: benefitId, type: AN, length: 63 }",
        "operations.GR.reply[0]",
        "the column cannot hold",
    );
    finds(
        FIXED,
        "{ name: operation, type: AN, length: 2 }",
        "operation",
        "layout.batch.columns[1]",
        "wants `name`, `type` and `length`",
    );
    finds(
        FIXED,
        "{ name: operation, type: AN, length: 2 }",
        "{ name: operation, type: XX, length: 2 }",
        "layout.batch.columns[1].type",
        "must be",
    );
}
