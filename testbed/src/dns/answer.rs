//! What is said to one question, as a packet.

use std::net::Ipv4Addr;

use simple_dns::CLASS;
use simple_dns::Name;
use simple_dns::OPCODE;
use simple_dns::Packet;
use simple_dns::PacketFlag;
use simple_dns::QTYPE;
use simple_dns::Question;
use simple_dns::RCODE;
use simple_dns::ResourceRecord;
use simple_dns::header_buffer;
use simple_dns::rdata::PTR;
use simple_dns::rdata::RData;

use crate::dns::records::Known;

/// What the names are, as the answer needs it.
pub(crate) trait Directory {
    /// What is known of a name in lower case.
    fn find(&self, name: &str) -> Known;
    /// The name of the pod at an address.
    fn name_of(&self, address: Ipv4Addr) -> Option<String>;
}

/// The answer to a packet, or none to what is no question. One longer than `limit` only says that it
/// is too long: the client asks again over TCP.
pub(crate) fn answer(packet: &[u8], directory: &impl Directory, limit: usize) -> Option<Vec<u8>> {
    if header_buffer::has_flags(packet, PacketFlag::RESPONSE).ok()? {
        return None;
    }
    let Ok(query) = Packet::parse(packet) else {
        let mut reply = Packet::new_reply(header_buffer::id(packet).ok()?);
        *reply.rcode_mut() = RCODE::FormatError;
        return reply.build_bytes_vec().ok();
    };
    let mut reply = reply_to(&query);
    let records = match query.questions.as_slice() {
        [question] if query.opcode() == OPCODE::StandardQuery => records(question, directory),
        _ => Err(RCODE::NotImplemented),
    };
    match records {
        Ok(records) => reply.answers = records,
        Err(code) => *reply.rcode_mut() = code,
    }
    let bytes = reply.build_bytes_vec_compressed().ok()?;
    if bytes.len() <= limit {
        return Some(bytes);
    }
    let mut reply = reply_to(&query);
    reply.set_flags(PacketFlag::TRUNCATION);
    reply.build_bytes_vec_compressed().ok()
}

/// An answer without records, which says what a cluster's server says of itself.
fn reply_to<'a>(query: &Packet<'a>) -> Packet<'a> {
    let mut reply = Packet::new_reply(query.id());
    reply.set_flags(PacketFlag::AUTHORITATIVE_ANSWER | PacketFlag::RECURSION_AVAILABLE);
    if query.has_flags(PacketFlag::RECURSION_DESIRED) {
        reply.set_flags(PacketFlag::RECURSION_DESIRED);
    }
    reply.questions.clone_from(&query.questions);
    reply
}

/// No record is an answer too: the name is known, and has none of that type.
fn records<'a>(
    question: &Question<'a>,
    directory: &impl Directory,
) -> Result<Vec<ResourceRecord<'a>>, RCODE> {
    let name = question.qname.to_string().to_ascii_lowercase();
    if let Some(address) = address_of(&name) {
        let host = directory.name_of(address).ok_or(RCODE::NameError)?;
        let host = Name::new(&host).map_err(|_| RCODE::ServerFailure)?.into_owned();
        return Ok(of_type(question, vec![RData::PTR(PTR(host))]));
    }
    let addresses = match directory.find(&name) {
        Known::Addresses(addresses) => addresses,
        Known::Bare => Vec::new(),
        Known::Unknown => return Err(RCODE::NameError),
    };
    Ok(of_type(question, addresses.into_iter().map(|address| RData::A(address.into())).collect()))
}

fn of_type<'a>(question: &Question<'a>, data: Vec<RData<'static>>) -> Vec<ResourceRecord<'a>> {
    let wanted = |data: &RData<'_>| match question.qtype {
        QTYPE::ANY => true,
        QTYPE::TYPE(wanted) => wanted == data.type_code(),
        QTYPE::IXFR | QTYPE::AXFR | QTYPE::MAILB | QTYPE::MAILA => false,
    };
    let data = data.into_iter().filter(wanted);
    data.map(|data| ResourceRecord::new(question.qname.clone(), CLASS::IN, SECONDS_KEPT, data))
        .collect()
}

/// The address that a name like `10.0.1.10.in-addr.arpa` asks for.
fn address_of(name: &str) -> Option<Ipv4Addr> {
    let reversed: Ipv4Addr = name.strip_suffix(".in-addr.arpa")?.parse().ok()?;
    let [a, b, c, d] = reversed.octets();
    Some(Ipv4Addr::new(d, c, b, a))
}

/// As a cluster's server gives it for its own names.
const SECONDS_KEPT: u32 = 5;

#[cfg(test)]
mod tests {
    use simple_dns::TYPE;

    use super::*;

    struct Pods(u8);

    impl Directory for Pods {
        fn find(&self, name: &str) -> Known {
            let address = |unit| Ipv4Addr::new(10, 1, 0, 10 + unit);
            match name {
                "pod-0.pods.lab" => Known::Addresses(vec![address(0)]),
                "pods.lab" => Known::Addresses((0..self.0).map(address).collect()),
                "lab" => Known::Bare,
                _ => Known::Unknown,
            }
        }

        fn name_of(&self, address: Ipv4Addr) -> Option<String> {
            (address == Ipv4Addr::new(10, 1, 0, 10)).then(|| "pod-0.pods.lab".to_owned())
        }
    }

    fn query(name: &str, kind: TYPE) -> Vec<u8> {
        let mut query = Packet::new_query(7);
        let name = Name::new(name).unwrap();
        query.questions.push(Question::new(name, kind.into(), CLASS::IN.into(), false));
        query.build_bytes_vec().unwrap()
    }

    /// Asks for one name and shows what is said: a code and the data of all records.
    fn says(name: &str, kind: TYPE) -> String {
        let bytes = answer(&query(name, kind), &Pods(2), 512).unwrap();
        let reply = Packet::parse(&bytes).unwrap();
        assert_eq!(reply.id(), 7);
        let data = reply.answers.iter().map(|record| {
            if let RData::A(a) = &record.rdata {
                Ipv4Addr::from(a.clone()).to_string()
            } else if let RData::PTR(PTR(name)) = &record.rdata {
                name.to_string()
            } else {
                format!("{record:?}")
            }
        });
        format!("{:?} {}", reply.rcode(), data.collect::<Vec<_>>().join(" ")).trim_end().to_owned()
    }

    #[test]
    fn a_known_name_has_its_addresses_and_nothing_of_another_type() {
        for (name, kind, wanted) in [
            ("pod-0.pods.lab", TYPE::A, "NoError 10.1.0.10"),
            ("Pod-0.PODS.lab", TYPE::A, "NoError 10.1.0.10"),
            ("pod-0.pods.lab", TYPE::AAAA, "NoError"),
            ("pods.lab", TYPE::A, "NoError 10.1.0.10 10.1.0.11"),
            ("lab", TYPE::A, "NoError"),
            ("pod-1.pods.lab", TYPE::A, "NameError"),
            ("pod-1.pods.lab", TYPE::AAAA, "NameError"),
            ("10.0.1.10.in-addr.arpa", TYPE::PTR, "NoError pod-0.pods.lab"),
            ("10.0.1.10.in-addr.arpa", TYPE::A, "NoError"),
            ("11.0.1.10.in-addr.arpa", TYPE::PTR, "NameError"),
        ] {
            assert_eq!(says(name, kind), wanted, "{name} {kind:?}");
        }
    }

    #[test]
    fn an_answer_that_is_too_long_says_so_and_fits_over_tcp() {
        let packet = query("pods.lab", TYPE::A);
        let short = answer(&packet, &Pods(40), 512).unwrap();
        let short = Packet::parse(&short).unwrap();
        assert!(short.has_flags(PacketFlag::TRUNCATION));
        assert!(short.answers.is_empty());
        let long = answer(&packet, &Pods(40), usize::from(u16::MAX)).unwrap();
        assert_eq!(Packet::parse(&long).unwrap().answers.len(), 40);
    }

    #[test]
    fn what_is_no_question_gets_no_answer_or_an_error() {
        assert_eq!(answer(b"", &Pods(1), 512), None);
        assert_eq!(answer(&[0xff; 40], &Pods(1), 512), None);
        let reply = answer(&query("lab", TYPE::A), &Pods(1), 512).unwrap();
        assert_eq!(answer(&reply, &Pods(1), 512), None, "two servers would never end");
        let broken = answer(&query("lab", TYPE::A)[..14], &Pods(1), 512).unwrap();
        assert_eq!(Packet::parse(&broken).unwrap().rcode(), RCODE::FormatError);
        let nothing = Packet::new_query(7).build_bytes_vec().unwrap();
        let nothing = answer(&nothing, &Pods(1), 512).unwrap();
        assert_eq!(Packet::parse(&nothing).unwrap().rcode(), RCODE::NotImplemented);
    }
}
