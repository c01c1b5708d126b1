//! [`Document`] and the [`Note`]s in it.

use presence::{Activity, Basic, Document, Note, Priority, Show};

use super::CodecError;
use super::primitive::{Reader, Writer};

/// Writes notes in their order.
pub(crate) fn put_notes(w: &mut Writer, notes: &[Note]) {
    w.list(notes, |w, note| {
        w.option(note.lang.as_deref(), Writer::text);
        w.text(&note.text);
    });
}

/// Reads notes.
pub(crate) fn get_notes(r: &mut Reader<'_>) -> Result<Vec<Note>, CodecError> {
    r.list(|r| {
        Ok(Note {
            lang: r.option(|r| r.text().map(str::to_owned))?,
            text: r.text()?.to_owned(),
        })
    })
}

/// Writes a document.
pub(crate) fn put(w: &mut Writer, document: &Document) {
    w.flag(document.basic == Basic::Open);
    w.option(document.show, |w, show| {
        w.octet(match show {
            Show::Away => 0,
            Show::Chat => 1,
            Show::Dnd => 2,
            Show::Xa => 3,
        });
    });
    put_notes(w, &document.notes);
    w.option(document.priority, |w, priority| {
        w.octet(priority.0.cast_unsigned());
    });
    w.list(&document.activities, put_activity);
    w.option(document.idle_since, Writer::time);
    w.option(document.timestamp, Writer::time);
}

/// Reads a document.
pub(crate) fn get(r: &mut Reader<'_>) -> Result<Document, CodecError> {
    Ok(Document {
        basic: if r.flag()? {
            Basic::Open
        } else {
            Basic::Closed
        },
        show: r.option(|r| {
            Ok(match r.octet()? {
                0 => Show::Away,
                1 => Show::Chat,
                2 => Show::Dnd,
                3 => Show::Xa,
                other => return Err(CodecError::Tag("show", other)),
            })
        })?,
        notes: get_notes(r)?,
        priority: r.option(|r| r.octet().map(|o| Priority(o.cast_signed())))?,
        activities: r.list(get_activity)?,
        idle_since: r.option(Reader::time)?,
        timestamp: r.option(Reader::time)?,
    })
}

fn put_activity(w: &mut Writer, activity: &Activity) {
    w.octet(match activity {
        Activity::Other(text) => {
            w.octet(0);
            w.text(text);
            return;
        }
        Activity::Appointment => 1,
        Activity::Away => 2,
        Activity::Breakfast => 3,
        Activity::Busy => 4,
        Activity::Dinner => 5,
        Activity::Holiday => 6,
        Activity::InTransit => 7,
        Activity::LookingForWork => 8,
        Activity::Lunch => 9,
        Activity::Meal => 10,
        Activity::Meeting => 11,
        Activity::OnThePhone => 12,
        Activity::Performance => 13,
        Activity::PermanentAbsence => 14,
        Activity::Playing => 15,
        Activity::Presentation => 16,
        Activity::Shopping => 17,
        Activity::Sleeping => 18,
        Activity::Spectator => 19,
        Activity::Steering => 20,
        Activity::Travel => 21,
        Activity::Tv => 22,
        Activity::Unknown => 23,
        Activity::Vacation => 24,
        Activity::Working => 25,
        Activity::Worship => 26,
    });
}

fn get_activity(r: &mut Reader<'_>) -> Result<Activity, CodecError> {
    Ok(match r.octet()? {
        0 => Activity::Other(r.text()?.to_owned()),
        1 => Activity::Appointment,
        2 => Activity::Away,
        3 => Activity::Breakfast,
        4 => Activity::Busy,
        5 => Activity::Dinner,
        6 => Activity::Holiday,
        7 => Activity::InTransit,
        8 => Activity::LookingForWork,
        9 => Activity::Lunch,
        10 => Activity::Meal,
        11 => Activity::Meeting,
        12 => Activity::OnThePhone,
        13 => Activity::Performance,
        14 => Activity::PermanentAbsence,
        15 => Activity::Playing,
        16 => Activity::Presentation,
        17 => Activity::Shopping,
        18 => Activity::Sleeping,
        19 => Activity::Spectator,
        20 => Activity::Steering,
        21 => Activity::Travel,
        22 => Activity::Tv,
        23 => Activity::Unknown,
        24 => Activity::Vacation,
        25 => Activity::Working,
        26 => Activity::Worship,
        other => return Err(CodecError::Tag("activity", other)),
    })
}
