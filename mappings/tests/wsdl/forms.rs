//! Messages as a WSDL says them, read and written by the front made of it.

use std::sync::Arc;

use gateway_core::front::Exchange;
use gateway_core::{Evidence, ExchangeId, Inbound};
use jiff::Timestamp;
use uuid::Uuid;

use super::{binding, front, import, says, wsdl};

/// A front of each form reads what its WSDL says and writes it again, a record that is nil too.
#[test]
fn every_form_is_read_and_written_as_the_wsdl_says() {
    let types = |form: &str| {
        format!(
            "<x:schema targetNamespace='urn:tax' elementFormDefault='{form}' xmlns:o='urn:other'>
             <x:complexType name='Said'><x:sequence>
               <x:element name='plain' type='x:int'/>
               <x:element name='in' form='qualified' type='x:int'/>
               <x:element name='out' form='unqualified' type='x:int'/>
               <x:element name='deep' type='o:Deep' nillable='true' minOccurs='0'/></x:sequence>
             </x:complexType><x:element name='ask' type='t:Said'/>
             <x:element name='answer' type='t:Said'/></x:schema>
             <x:schema targetNamespace='urn:other' elementFormDefault='qualified'>
             <x:complexType name='Deep'><x:sequence><x:element name='deepest' type='x:int'/>
               </x:sequence></x:complexType></x:schema>"
        )
    };
    let deep = "<q:deepest xmlns:q='urn:other'>4</q:deepest>";
    let document = |form: &str, said: &str| {
        (wsdl(&types(form)), format!("<t:ask xmlns:t='urn:tax'>{said}</t:ask>"))
    };
    let body = "<s:body use='literal' namespace='urn:rpc'/>";
    let rpc = binding(&types("unqualified"), "rpc", body, "type='t:Said'", "type='t:Said'");
    let inner =
        format!("<plain>1</plain><t:in xmlns:t='urn:tax'>2</t:in><out>3</out><deep>{deep}</deep>");
    let nil = "<deep xmlns:i='http://www.w3.org/2001/XMLSchema-instance' i:nil='true'/>";
    for ((wsdl, request), written) in [
        (
            document("unqualified", &inner),
            "<plain>1</plain><ns2:in>2</ns2:in><out>3</out><deep><ns1:deepest>4</ns1:deepest></deep>",
        ),
        (
            document("unqualified", &inner.replace(&format!("<deep>{deep}</deep>"), nil)),
            "<t:answer><plain>1</plain><ns2:in>2</ns2:in><out>3</out></t:answer>",
        ),
        (
            document("qualified", &inner.replace("plain>", "t:plain>").replace("deep>", "t:deep>")),
            "<ns2:plain>1</ns2:plain><ns2:in>2</ns2:in><out>3</out>\
             <ns2:deep><ns1:deepest>4</ns1:deepest></ns2:deep>",
        ),
        (
            (rpc, format!("<r:ask xmlns:r='urn:rpc'><p>{inner}</p></r:ask>")),
            "<t:askResponse><p><plain>1</plain><ns2:in>2</ns2:in><out>3</out>\
             <deep><ns1:deepest>4</ns1:deepest></deep></p></t:askResponse>",
        ),
    ] {
        let front = front(&import(&wsdl).unwrap());
        let envelope = "http://schemas.xmlsoap.org/soap/envelope/";
        let request =
            format!("<e:Envelope xmlns:e='{envelope}'><e:Body>{request}</e:Body></e:Envelope>");
        let inbound = Inbound {
            id: ExchangeId(Uuid::nil()),
            front: front.clone(),
            evidence: Evidence::default(),
            attributes: Default::default(),
            body: request.clone().into(),
            received: Timestamp::UNIX_EPOCH,
            deadline: None,
        };
        let envelope = front.decode(&inbound).unwrap_or_else(|fault| panic!("{fault:?} {request}"));
        let message = envelope.message.clone();
        let envelope = Arc::new(envelope);
        let exchange = Exchange {
            id: inbound.id,
            inbound: &inbound,
            envelope: Some(&envelope),
            quota: &[],
            now: inbound.received,
        };
        let reply = front.encode(&exchange, &message).unwrap().body;
        says(std::str::from_utf8(&reply).unwrap(), &[written]);
    }
}
