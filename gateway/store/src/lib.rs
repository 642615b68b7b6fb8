//! Durable state behind the narrow traits of `gateway-core`.
