//! A backend's mapping: the service's request as a call of a function, its answer as the service's
//! reply, its refusals in the service's terms.

use std::collections::BTreeMap;
use std::sync::Arc;

use gateway_core::adapter::Settlement;
use gateway_core::{
    Admitted, Answer, Call, Content, Fault, Kind, Mapping, MemberId, Message, Occasion, Operation,
    Profile, Pseudonymize, Received, Response, Service, ServiceId, SubmissionKey, Takes, Value,
};

use crate::convert::CodeMap;
use crate::convert::backend::{BackendCodec, ascii, is_zeros, zeros};
use crate::format::Refusal;
use crate::unfit::{FieldError, Unfit};

/// One backend of a sector.
pub(crate) struct Backend {
    pub(crate) id: String,
    /// By service code.
    pub(crate) functions: BTreeMap<Arc<str>, Function>,
    pub(crate) refusals: BTreeMap<String, Refusal>,
    pub(crate) pseudonyms: Arc<dyn Pseudonymize>,
}

/// How one service is said to the backend.
pub(crate) struct Function {
    pub(crate) name: String,
    pub(crate) service: Arc<Service>,
    pub(crate) arguments: Vec<Argument>,
    pub(crate) reply: Vec<ResultRow>,
}

pub(crate) struct Argument {
    pub(crate) name: String,
    pub(crate) source: Source,
}

/// Where an argument comes from.
pub(crate) enum Source {
    /// The key under which the submit happens once.
    Key,
    /// The member that calls, as 32 bytes.
    Caller,
    /// Always the same.
    Constant(Value),
    /// A pseudonym of the person named by a field, in the domain that another field decides.
    Pseudonym { person: Arc<str>, domain: Arc<str>, table: CodeMap },
    /// A field of the request.
    Field {
        field: Arc<str>,
        /// From one closed set to another, before it is converted.
        via: Option<CodeMap>,
        codec: BackendCodec,
        /// Whether zeros stand for an absent value.
        zeros: bool,
    },
}

/// One field of a reply.
pub(crate) struct ResultRow {
    /// The backend's name.
    pub(crate) name: String,
    pub(crate) field: Arc<str>,
    pub(crate) required: bool,
    pub(crate) form: ResultForm,
}

pub(crate) enum ResultForm {
    Value {
        codec: BackendCodec,
        zeros: bool,
    },
    List {
        rows: Vec<ResultRow>,
        max: usize,
    },
    /// Repeated from the request.
    Request,
}

/// A request as a backend mapping sees it: what an [`Admitted`] holds of it.
pub(crate) struct Asked<'a> {
    pub(crate) service: &'a Service,
    pub(crate) message: &'a Message,
    pub(crate) caller: &'a MemberId,
    pub(crate) key: Option<SubmissionKey>,
}

impl<'a> Asked<'a> {
    pub(crate) fn of(admitted: &'a Admitted) -> Self {
        let envelope = admitted.envelope();
        Self {
            service: &envelope.service,
            message: &envelope.message,
            caller: &admitted.caller().member,
            key: admitted.key(),
        }
    }
}

impl Backend {
    pub(crate) fn call(&self, asked: &Asked<'_>) -> Result<Call, Fault> {
        let function = self.function(asked.service)?;
        let arguments = function.arguments.iter().map(|argument| {
            let value = self.argument(&argument.source, asked);
            let value = value.map_err(|why| FieldError::new(&argument.name, why).in_call())?;
            Ok((argument.name.clone(), value))
        });
        Ok(Call {
            operation: function.service.operation,
            function: function.name.clone(),
            content: Content::Arguments(arguments.collect::<Result<_, Fault>>()?),
            key: asked.key,
            repeatable: false,
        })
    }

    pub(crate) fn reply(&self, asked: &Asked<'_>, answer: &Answer) -> Result<Message, Fault> {
        let function = self.function(asked.service)?;
        read(&function.reply, asked.message, &answer.values).map_err(|error| error.in_answer())
    }

    fn function(&self, service: &Service) -> Result<&Function, Fault> {
        self.functions.get(&service.id.code).ok_or_else(|| {
            let says = "the provider of this service does not offer it";
            Fault::new(Kind::Unsupported, "not-offered", says)
                .context(format_args!("{} has no {}", self.id, service.id))
        })
    }

    fn argument(&self, source: &Source, asked: &Asked<'_>) -> Result<Value, Unfit> {
        let field = |name: &str| asked.message.get(name).ok_or(Unfit::Missing);
        match source {
            Source::Key => asked.key.map(|key| Value::Bytes(key.0.to_vec())).ok_or(Unfit::Missing),
            Source::Caller => ascii(&asked.caller.0).map(Value::Bytes),
            Source::Constant(value) => Ok(value.clone()),
            Source::Pseudonym { person, domain, table } => {
                let Value::Resident(number) = field(person)? else {
                    return Err(Unfit::NotA("a resident registration number"));
                };
                let domain = table.read(field(domain)?.as_text().ok_or(Unfit::UnknownCode)?)?;
                let sector = &asked.service.id.sector;
                let number = number.expose().as_bytes();
                let pseudonym = self.pseudonyms.pseudonym(sector, domain, number);
                Ok(Value::Bytes(pseudonym.0.to_vec()))
            }
            Source::Field { field: name, via, codec, zeros: zero } => match (field(name), via) {
                (Err(_), _) if *zero => Ok(zeros()),
                (Ok(Value::Text(code)), Some(via)) => {
                    codec.write(&Value::Text(via.read(code)?.to_owned()))
                }
                (value, _) => codec.write(value?),
            },
        }
    }
}

fn read(rows: &[ResultRow], request: &Message, values: &Message) -> Result<Message, FieldError> {
    let mut message = Message::new();
    for row in rows {
        let unfit = |why| FieldError::new(&row.name, why);
        let value = match &row.form {
            ResultForm::Request => request.get(&row.name).cloned(),
            ResultForm::List { rows, max } => match values.get(&row.name) {
                Some(Value::List(list)) if list.len() > *max => {
                    return Err(unfit(Unfit::TooManyRecords { max: *max }));
                }
                Some(Value::List(list)) => {
                    let records = list.iter().map(|values| read(rows, request, values));
                    Some(Value::List(records.collect::<Result<_, _>>()?))
                }
                Some(_) => return Err(unfit(Unfit::NotA("a list"))),
                None => None,
            },
            ResultForm::Value { codec, zeros } => match values.get(&row.name) {
                Some(value) if *zeros && is_zeros(value) => None,
                Some(value) => Some(codec.read(value).map_err(unfit)?),
                None => None,
            },
        };
        match value {
            Some(value) => message.set(&*row.field, value),
            None if row.required => return Err(unfit(Unfit::Missing)),
            None => {}
        }
    }
    Ok(message)
}

impl Mapping for Backend {
    fn id(&self) -> &str {
        &self.id
    }

    fn map(&self, admitted: &Admitted, _: Occasion) -> Result<Call, Fault> {
        self.call(&Asked::of(admitted))
    }

    fn answer(&self, service: &ServiceId, response: Response) -> Result<Answer, Fault> {
        match response {
            Response::Answer(answer) => Ok(answer),
            Response::Received(_) => {
                Err(Fault::new(Kind::Internal, "defect", "the gateway failed; it was recorded")
                    .context(format_args!("{service}: the adapter of a contract sent bytes")))
            }
        }
    }

    /// What became of a transaction is the adapter's to know.
    fn settlement(&self, _: &ServiceId, _: Received) -> Result<Settlement, Fault> {
        Ok(Settlement::Pending)
    }

    fn map_back(&self, admitted: &Admitted, answer: &Answer) -> Result<Message, Fault> {
        self.reply(&Asked::of(admitted), answer)
    }

    fn refusal(&self, fault: Fault) -> Fault {
        if fault.kind != Kind::BackendRefused {
            return fault;
        }
        let (kind, code, says) = match self.refusals.get(&*fault.code) {
            Some(known) => (known.kind, known.code.clone(), known.says.clone()),
            None => (None, "refused".to_owned(), "the provider refused this".to_owned()),
        };
        let context = match fault.context.as_str() {
            "" => fault.code.to_string(),
            context => format!("{}: {context}", fault.code),
        };
        let mut said = Fault::new(kind.unwrap_or(fault.kind), code, says).context(context);
        said.source = fault.source;
        said
    }

    fn unsupported_by(&self, profile: &Profile) -> Vec<String> {
        let Takes::Functions(functions) = &profile.takes else {
            return vec!["the backend has no functions; it wants a provider's mapping".to_owned()];
        };
        let mut problems = Vec::new();
        for function in self.functions.values() {
            let name = &function.name;
            let wanted: Vec<&str> = function.arguments.iter().map(|each| &*each.name).collect();
            match functions.iter().find(|offered| offered.name == *name) {
                None => problems.push(format!("the backend has no function `{name}`")),
                Some(offered) if offered.operation != function.service.operation => {
                    let does = match offered.operation {
                        Operation::Query => "reads",
                        Operation::Submit => "changes something",
                    };
                    problems.push(format!("`{name}` {does}, and {} does not", function.service.id));
                }
                Some(offered) if offered.arguments != wanted => {
                    let takes = offered.arguments.join(", ");
                    let given = wanted.join(", ");
                    problems.push(format!("`{name}` takes ({takes}), and is given ({given})"));
                }
                Some(_) => {}
            }
        }
        problems
    }
}
