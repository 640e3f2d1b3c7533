"""Contacts: create one, change one."""

import uuid
from typing import NamedTuple

from paydown.desk.instructions import Refused, refuse, refuse_for
from paydown.desk.reading import Reading
from paydown.desk.work import Answer, Work, answer
from paydown.domain.desk_refusals import DeskRefusal, Objection
from paydown.enquiries.contacts import find_contact
from paydown.storage import creations
from paydown.wire.etags import write_etag
from paydown.wire.v1 import orders
from paydown.wire.v1.documents import Contact


class Person(NamedTuple):
    """What is to be known of a contact. Without ``contact_id`` a new one is given one."""

    contact_id: str | None
    name: str
    reference: str | None


def read_new(order: orders.NewContact, time_zone: str) -> Person | Refused:
    """What a new contact is to be."""
    reading = Reading(time_zone)
    contact_id = reading.optional(reading.guid, "contact_id", order.contact_id)
    person = _read_person(reading, order, contact_id)
    return reading.refused() or person


def read_change(contact_id: str, order: orders.ContactChange, time_zone: str) -> Person | Refused:
    """What a contact is to be from now on."""
    reading = Reading(time_zone)
    person = _read_person(reading, order, contact_id)
    return reading.refused() or person


def create(work: Work, person: Person) -> Answer | Refused:
    """Add the contact."""
    contact_id = person.contact_id or str(uuid.uuid4())
    if creations.find_contacts(work.connection, work.customer_id, [contact_id]):
        return refuse_for(Objection(DeskRefusal.already_exists, "/contact_id"))
    creations.add_contact(
        work.connection,
        work.customer_id,
        contact_id,
        name=person.name,
        reference=person.reference,
    )
    return answer(201, _find(work, contact_id))


def change(work: Work, person: Person) -> Answer | Refused:
    """Give the contact that name and reference, and no other."""
    assert person.contact_id is not None, "the path names it"
    if refused := _refuse_unread(work, person.contact_id):
        return refused
    changed = creations.change_contact(
        work.connection,
        work.customer_id,
        person.contact_id,
        name=person.name,
        reference=person.reference,
    )
    if not changed:
        return refuse(DeskRefusal.unknown_contact)
    return answer(200, _find(work, person.contact_id))


def _read_person(
    reading: Reading, order: orders.NewContact | orders.ContactChange, contact_id: str | None
) -> Person:
    name = reading.words("name", order.name)
    return Person(contact_id, name, reading.optional(reading.words, "reference", order.reference))


def _refuse_unread(work: Work, contact_id: str) -> Refused | None:
    """Refuse where the contact is to be as the caller has read it, and is not.

    This is the only write that has its turn, so nobody gives the contact another name meanwhile.
    """
    tags = work.instruction.if_match
    if tags is None:
        return None
    found = find_contact(work.connection, work.customer, contact_id, now=work.recorded_at)
    if found is None:
        return refuse(DeskRefusal.unknown_contact)
    is_as_read = write_etag(answer(200, found).body) in tags
    return None if is_as_read else refuse(DeskRefusal.etag_mismatch)


def _find(work: Work, contact_id: str) -> Contact:
    found = find_contact(work.connection, work.customer, contact_id, now=work.recorded_at)
    assert found is not None, "it was just written"
    return found
