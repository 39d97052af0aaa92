"""What the made-up company's people say: fragments with slots, from which calls are composed.

Two marks are used inside a fragment: ``{name}`` is a slot, filled from the call (who speaks,
which product, which account) or else from ``POOLS``; ``[a|b|c]`` is a choice of wordings. All
names of companies, products and competitors are invented.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

COMPANY = "Northwind Signal"
COMPETITORS = ("Brightpath", "Meridian IQ", "Talkgrid", "Cobalt Ops", "Fathomline", "Quillstack")
PRODUCTS = ("Signal Desk", "Signal Forecast", "Signal Ledger", "Signal Relay", "Signal Watch")

Lines = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Industry:
    """The words in which customers of one industry speak of their work."""

    things: str
    process: str
    staff: str
    metric: str
    places: str


INDUSTRIES: Mapping[str, Industry] = {
    "logistics": Industry(
        "shipments", "exception handling", "dispatchers", "on-time rate", "depots"
    ),
    "healthcare": Industry(
        "patient visits", "claims intake", "coordinators", "claim denial rate", "clinics"
    ),
    "retail": Industry(
        "orders", "returns processing", "store managers", "refund turnaround", "stores"
    ),
    "manufacturing": Industry(
        "work orders", "downtime reporting", "line supervisors", "scrap rate", "plants"
    ),
    "energy": Industry(
        "field jobs", "crew scheduling", "field engineers", "first-visit fix rate", "substations"
    ),
    "hospitality": Industry(
        "bookings", "rate updates", "revenue analysts", "no-show rate", "properties"
    ),
    "insurance": Industry("policies", "claims triage", "adjusters", "cycle time", "branches"),
    "education": Industry(
        "enrolments", "fee collection", "registrars", "drop-out rate", "campuses"
    ),
}

POOLS: Mapping[str, Lines] = {
    "hours": ("six", "9", "eleven", "12", "14", "15", "18", "twenty", "22", "25", "30", "35"),
    "people": ("3", "four", "5", "six", "8", "nine", "11", "14"),
    "places_count": ("7", "12", "16", "nineteen", "23", "31", "40", "58"),
    "volume": ("400", "650", "900", "1,200", "1,800", "2,500", "3,400", "5,000", "7,500"),
    "money": (
        "$4,000", "$7,500", "$9,000", "$12,000", "$18,000", "$22,000", "$31,000", "$45,000",
        "$60,000",
    ),
    "percent": ("4", "6", "8", "9", "11", "12", "15", "17", "20", "23"),
    "day": ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday"),
    "time": ("9:30", "10", "10:30", "11", "1:30", "2", "2:30", "3", "4", "4:30"),
    "month": (
        "January", "February", "March", "April", "May", "June", "July", "September", "October",
        "November",
    ),
    "weeks": ("two", "three", "four", "six", "eight", "ten"),
    "minutes": ("ten", "15", "twenty", "25", "40", "45", "50"),
    "quarter": ("the first quarter", "the second quarter", "Q3", "Q4"),
    "colleague": (
        "Amara", "Bertrand", "Chidi", "Dolores", "Elif", "Fergus", "Greta", "Hiroshi", "Imani",
        "Jonas", "Kalinda", "Leopold", "Mirela", "Nils", "Odette", "Pilar",
    ),
    "role": (
        "our finance director", "our head of operations", "the IT lead", "our CFO", "procurement",
        "our data protection officer", "the regional director", "our VP of operations",
    ),
    "old_tool": (
        "a shared spreadsheet", "an Access database from years ago", "e-mail and good will",
        "three different portals", "a tool we built in house", "a whiteboard and a group chat",
        "our old ticketing system", "a folder of macros",
    ),
    "system": (
        "our ERP", "the warehouse system", "our CRM", "the data lake", "our identity provider",
        "the payroll system", "the phone system", "our accounting package",
    ),
    "screen": (
        "the overview page", "the alerts tab", "the usage report", "the admin console",
        "the settings page", "the billing page", "the audit log", "the team view",
    ),
    "reference": ("NS-20418", "NS-31877", "NS-40962", "NS-55310", "NS-61745", "NS-77203",
                  "NS-80091", "NS-92664"),
    "digits": ("4471", "0926", "8815", "3370", "5502", "6148", "7093", "2284"),
    "error": ("error 502", "error 504", "a timeout", "a blank page", "error 429",
              "a message about an expired session"),
    "browser": ("Firefox", "Chrome", "Edge", "Safari"),
    "weather": (
        "We had hail this morning, the car park sounded like a drum",
        "It's finally stopped raining here",
        "The heating in this building has given up, so I'm wearing two jumpers",
        "Half of the office is out with a cold",
        "I came in by bike today, and regretted it by the second hill",
        "The fire drill has just ended, so I'm a little out of breath",
        "My dog has opinions about this meeting, apologies in advance",
        "We moved floors on {day} and I still can't find the coffee machine",
    ),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Topic:
    """One thing to find out: asked openly and probed, or asked shut and dropped."""

    open: Lines
    closed: Lines
    rich: Lines
    thin: Lines
    probe: Lines
    detail: Lines


@dataclass(frozen=True, slots=True)
class Objection:
    """Something the customer puts in the way, and a good and a poor way to take it."""

    raised: Lines
    good: Lines
    poor: Lines
    settled: Lines


@dataclass(frozen=True, slots=True)
class Issue:
    """One support case: what is wrong, what is asked, what mends it."""

    problem: Lines
    checks: tuple[tuple[str, str], ...]
    fix: Lines
    code: str


OPENING: Mapping[str, Lines] = {
    "greet": (
        "Hi {customer}, my name is {rep}, from {company}. [Thanks for making the time|Thanks for "
        "joining|Good to finally speak].",
        "[Good morning|Hello] {customer}, {rep} here from {company}. [How has your week "
        "been?|Can you hear me all right?|I hope I'm not too early.]",
        "{customer}, hi, you're speaking with {rep} at {company}. [Is this still a good "
        "moment?|Did I catch you between meetings?|Shall we give {colleague} a minute to join?]",
        "Thanks for picking up, {customer}. {rep} here from {company}, [as promised|following up "
        "on my note|right on time for once].",
        "Hello, is that {customer}? My name is {rep} and I'm calling from {company} about "
        "{product}.",
    ),
    "greet_poor": (
        "Hey {customer}, {rep}. [Got a minute?|So, {product}.|Let's jump right in.]",
        "Hi, yes, hello. {rep}. [I have a lot to show you.|We only have {minutes} minutes.]",
        "{customer}! [Big fan of {account}|Been trying to reach you for weeks]. Right, to "
        "business.",
        "Morning. [Sorry I'm late, the last one ran over.|Give me a second to find your file.]",
    ),
    "greeted": (
        "Hi {rep}. [Yes, loud and clear|Good, thanks|All fine here]. {weather}.",
        "[Hello|Hi there]. [I have until {time}, then I have to run|I've got about {minutes} "
        "minutes|Go ahead].",
        "[Hi, good to meet you|Hello {rep}]. {colleague} [may|might] [join us a bit "
        "later|drop in towards the end], but let's start.",
        "Yes, [this works|now is fine|that's me]. It's been [a long week|one of those days|busy, "
        "we're closing the month].",
    ),
    "recorded": (
        "A word on privacy: this call is recorded and deleted after {weeks} weeks. [Any "
        "objection?|Fine with you?]",
        "Before we start: this call is recorded [so that I don't have to type while you talk|for "
        "training|so that I can send you the notes]. Is that all right with you?",
        "Just so you know, this call is being recorded [for quality|and you can have a copy "
        "whenever you want|and kept for {weeks} weeks].",
        "I should mention that we're being recorded [today|on this line]; [say the word and I'll "
        "switch it off|tell me if you'd rather not].",
        "One formality: the line is recorded [for quality and training|under our retention "
        "policy]. [Are you happy to go on?|May I carry on?]",
    ),
    "recorded_reply": (
        "[No objection|That's okay], [{colleague} couldn't join and will want to hear it|I record "
        "half of mine too].",
        "[Sure|That's fine|No problem], [we do the same|send me the notes afterwards|go ahead].",
        "Fine with me[.|, as long as it stays between our companies.|, thanks for saying so.]",
        "[Yes, of course|Okay]. [Legal always asks me whether you said it, so thank you|Noted].",
    ),
    "agenda": (
        "I've blocked {minutes} minutes: first your side, {process} above all, then mine, and "
        "at the end we see whether it fits.",
        "[My plan for today|What I'd suggest]: I'd like to hear how {process} works at {account}, "
        "then show what fits, and leave {minutes} minutes for your questions. Does that suit you?",
        "I have {minutes} minutes in the diary. [I'd rather listen first|Mostly I want to "
        "understand your side], and then we decide together whether a next meeting makes sense.",
        "[From your note|From what {colleague} told me] I took three things: {process}, the "
        "{metric}, and cost. Have I missed one?",
        "Let's make this useful: you tell me where it hurts, I tell you honestly whether "
        "{product} is any good for that.",
    ),
    "agenda_reply": (
        "[Good|Okay]. {role} wants a page from me by {day}, so I'll be taking notes.",
        "Agreed. [Let's leave {system} for the end|{colleague} can only stay {minutes} minutes].",
        "[That's fine|Yes, that's right]. We have {places_count} {places}, keep that in mind.",
        "[Sounds good|That works]. [Start with {process}|The {metric} is the one that my boss "
        "cares about|Cost last, please].",
        "Yes, and add {system} to the list, because [nothing happens here without it|IT will ask].",
        "[Fine|Perfect]. I'd also like to know how long it takes before we see something.",
        "That's about right. [We've been burned before, so forgive me if I'm blunt|I'll be "
        "blunt where I have to].",
    ),
    "chat": (
        "{weather}. [Anyway|But you didn't call for that|Enough of that].",
        "I was at your [stand|talk] in {month}, [by the way|as it happens]. [Good coffee|The queue "
        "was impressive].",
        "{colleague} sends regards, [you met at the {month} event|you spoke about {process} last "
        "year].",
        "[We've just opened|We're about to open] {places_count} new {places}, so [you find us in "
        "the middle of it|everybody here is tired and cheerful].",
    ),
}

TOPICS: Mapping[str, Topic] = {
    "current_process": Topic(
        open=(
            "Walk me through {process} as it is today, from the first [alert|e-mail|phone call] "
            "to the moment somebody closes it.",
            "How do you handle {process} at the moment, and [what happens when somebody is "
            "away|where does it get stuck]?",
            "What does an ordinary [day|Monday] of {process} look like for your {staff}?",
        ),
        closed=(
            "You do {process} by hand, right?",
            "So you have some tool for {process} already?",
        ),
        rich=(
            "Honestly, it's {old_tool}. Our {staff} copy the numbers by hand, and [every week|"
            "most weeks] something is missed because two people edited the same line.",
            "It starts with an e-mail, then {colleague} types it into {old_tool}, then somebody "
            "types it again into {system}. The duplicate typing alone causes errors every day.",
            "We run {places_count} {places} and each one does it differently. We're blind until "
            "the month ends, and then we spend {hours} hours chasing people for figures.",
            "The manual part is the problem. Each of our {staff} spends about {hours} hours a week "
            "on {process}, and it still comes out late.",
        ),
        thin=(
            "More or less[.|, yes.|. It works, mostly.]",
            "We have {old_tool}. [It's fine for now.|People are used to it.]",
            "[Something like that|In a way].",
        ),
        probe=(
            "What does that cost you in an ordinary week, in hours or in money?",
            "Who else feels it when that goes wrong?",
            "How would you know that it had got better?",
        ),
        detail=(
            "We added it up last {month}: {hours} hours a week across {people} people, so it costs "
            "us about {money} a month in overtime.",
            "I'd say we lose {percent} percent of {things} to rework, and our customers complain "
            "before we notice.",
            "Last quarter one missed hand-over cost us {money} in penalties. [My boss still talks "
            "about it.|That's why I'm here.]",
        ),
    ),
    "pain": Topic(
        open=(
            "What made you look for something [now|this year] rather than leave it as it is?",
            "What happens if nothing changes [before {month}|in the next {weeks} weeks]?",
            "Tell me about the last time that {process} went really wrong.",
        ),
        closed=(
            "Is the {metric} a problem for you?",
            "And you'd like to save time, I suppose?",
        ),
        rich=(
            "Our {metric} has dropped by {percent} percent since {month}, and we're losing "
            "accounts "
            "over it. Nobody can tell me why, because the figures come from {old_tool}.",
            "We had an audit finding in {month}. The auditors asked who had changed {volume} "
            "{things}, and we struggled for {weeks} weeks to answer.",
            "Three of our best {staff} have left. They told me they were burned out from chasing "
            "{things} at night.",
            "The {places} complain that head office answers too late. It's a bottleneck: "
            "everything goes through {colleague}, who does {process} manually.",
        ),
        thin=(
            "It could be better[.|, sure.|, like everything.]",
            "Who wouldn't[?|. But it's not on fire.]",
            "I wouldn't say a problem, [more of a nuisance|we live with it].",
        ),
        probe=(
            "What would a {percent} percent improvement of the {metric} be worth to {account}?",
            "How does that land with {role}?",
            "Why has it stayed like that until now?",
        ),
        detail=(
            "Each point of the {metric} is worth about {money} a year to us, so you can do the "
            "sum. We lose that every single month at present.",
            "{role} [sees the number every {day}|asks me every {day}], and last week it was errors "
            "in {volume} {things}. It's a headache.",
            "We've never had the people to fix it. {hours} hours a week go into patching "
            "{old_tool} "
            "by hand.",
        ),
    ),
    "people": Topic(
        open=(
            "Who else would work with {product} every day, and what would they say about it?",
            "Which teams have to like this for it to succeed at {account}?",
            "How do your {staff} feel about a new tool, after the last one?",
        ),
        closed=(
            "About {people} users then?",
            "It's just for your {staff}, yes?",
        ),
        rich=(
            "The {staff} first, around {people} per shift, and then finance, who suffer from our "
            "late numbers. The {places} would only read it.",
            "My {people} supervisors. They're sceptical, they've seen two tools come and go, and "
            "one of them was a nightmare to switch off.",
            "Everybody from the {places} to {role}. The people who type will love it, the people "
            "who approve will ask for a report.",
        ),
        thin=(
            "[About|Around] that, [I think|give or take].",
            "Mostly them, yes.",
        ),
        probe=(
            "What would make the sceptics try it for {weeks} weeks?",
            "Who would be the first to notice if it failed?",
        ),
        detail=(
            "If it takes away the {day} report, they'll carry you around the building. That "
            "report is {hours} hours a week of manual copying.",
            "{colleague} on the night shift. If {colleague} likes it, the rest will follow.",
            "The {places} would. They call us {volume} times a month because something is late.",
        ),
    ),
    "decision": Topic(
        open=(
            "How does a decision like this get made at {account}, and who else has a say?",
            "Walk me through the last time you bought something of this size. What went slowly?",
            "What does {role} need to see before anybody signs?",
        ),
        closed=(
            "You can decide this yourself, can't you?",
            "Do you need approval?",
        ),
        rich=(
            "{dm_line}",
            "{dm_line} Security gets a look, that takes {weeks} weeks.",
            "It goes to {role} with a one-page case, then legal. {dm_line}",
        ),
        thin=(
            "There's a process[.|, I'd have to ask.]",
            "[Maybe|Probably]. It depends on the amount.",
        ),
        probe=(
            "What could stop it at that stage?",
            "Who would speak against it, and why?",
        ),
        detail=(
            "Only {system}: if it can't connect, IT will say no within {minutes} minutes.",
            "Last year a vendor failed on data residency. So [bring that paper early|have the "
            "answer ready].",
            "Somebody will say that we can build it. We can't, we tried, it took {weeks} weeks "
            "and died.",
        ),
    ),
    "budget": Topic(
        open=(
            "What have you set out to spend on this, and where would the money come from?",
            "How does the budget work for a project like this: is it planned, or do we have to "
            "make the case?",
            "What would the investment need to bring back for it to be an easy yes?",
        ),
        closed=(
            "Do you have a budget?",
            "Price won't be an issue, will it?",
        ),
        rich=(
            "{budget_line}",
            "{budget_line} [We plan by quarter|Finance checks twice].",
            "Fair question. {budget_line}",
        ),
        thin=(
            "I can't speak to that[.|, sorry.]",
            "Depends on the price, [obviously|as always].",
        ),
        probe=(
            "What would you compare the {money} with?",
            "How do you feel about starting with {people} seats and growing from there?",
        ),
        detail=(
            "With the overtime we pay. If it saves {hours} hours a week, nobody will argue.",
            "With doing nothing, to be honest. And doing nothing costs us {money} a quarter in "
            "late credits.",
            "Starting small is easier, [I can do that without a committee|finance likes that].",
        ),
    ),
    "timeline": Topic(
        open=(
            "What is the date behind this: when do you want the first {places} to be live?",
            "Why {month}? What happens then?",
            "How does the timing look from your side, counting back from the day it has to work?",
        ),
        closed=(
            "We can start tomorrow, okay?",
            "Soon, then?",
        ),
        rich=(
            "{timeline_line}",
            "{timeline_line} [Everything else moves around that|That date is "
            "known to everybody here].",
        ),
        thin=(
            "Let's see[.|, no rush.|, hard to say.]",
            "[At some point|Eventually], yes.",
        ),
        probe=(
            "What has to be true {weeks} weeks before that date?",
            "Which step worries you most on the way there?",
        ),
        detail=(
            "The connection to {system} has to be tested, with {volume} real {things}.",
            "Training. Our {staff} work shifts, I can take out {people} at a time.",
            "The security form. [It's 80 questions|It goes to a team that answers on {day}s].",
        ),
    ),
    "success": Topic(
        open=(
            "Imagine it's a year from now and this was a good idea. What would be different?",
            "What would you want to show {role} after the first {weeks} weeks?",
            "How would you measure whether {product} earns its keep?",
        ),
        closed=(
            "So more efficiency is the goal?",
            "You'd want better reports, right?",
        ),
        rich=(
            "The {metric}, up by {percent} percent, and my {staff} going home on time. Today they "
            "stay late because of manual rework.",
            "One number that everybody believes. Today {people} people bring {people} different "
            "spreadsheets to the same meeting.",
            "No surprises. If {things} go wrong in one of the {places}, I want to hear it from a "
            "screen and not from an angry customer.",
        ),
        thin=(
            "[Sure|I guess], yes.",
            "Among other things.",
        ),
        probe=(
            "What is that number today, roughly?",
            "Who keeps that figure, and how much do people trust it?",
        ),
        detail=(
            "It was {percent} percent last {month}, with {volume} {things} in the sample.",
            "{colleague} keeps it, in a spreadsheet with a password. Trust is [limited|a big "
            "word].",
            "Nobody agrees on it, which is the struggle. I lose {hours} hours a month to that "
            "argument.",
        ),
    ),
    "technical": Topic(
        open=(
            "What does {product} have to talk to on day one, and what can wait?",
            "How do you look at hosting and access rights; what would your security people ask?",
            "Which of your systems is the awkward one?",
        ),
        closed=(
            "You have an API, I take it?",
            "Integration isn't a concern, is it?",
        ),
        rich=(
            "{system} on day one, no discussion. The rest [can wait until {month}|is nice to "
            "have].",
            "Single sign-on, logs for {weeks} weeks at least, and the data stays in the region. "
            "We had a finding about missed log entries.",
            "The awkward one is {system}: [no API, only files at night|its vendor charges for each "
            "field]. Somebody does it by hand now.",
        ),
        thin=(
            "IT would know[.|, not me.]",
            "We have some, yes.",
        ),
        probe=(
            "How big are those files, and when do they come?",
            "What went wrong the last time you connected something to it?",
        ),
        detail=(
            "About {volume} {things} a night. When the file is late, the whole morning is chaos "
            "and we manually re-run it.",
            "Duplicate records, {percent} percent of them. It took {people} people to clean up.",
            "Nothing, surprisingly, but it took {weeks} weeks to get a test account.",
        ),
    ),
}

SALES: Mapping[str, Lines] = {
    "ack": (
        "I understand. {hours} hours here and there, and at the end of the year [it's a "
        "salary|nobody can say where they went].",
        "That must be [wearing|tiring] for your {staff}.",
        "I can imagine how that goes in {month}, when everything comes at once.",
        "Thanks for being open about {system}, [most people only tell me in the third "
        "meeting|that saves us both time].",
        "That makes sense[.|, with {places_count} {places} to look after.|, and it's what I would "
        "do too.]",
        "I hear you, {customer}. [And it isn't your team's fault.|It's a lot for {people} people.]",
        "That sounds like [a lot of patience|many late evenings]. I appreciate that you put a "
        "figure on it.",
        "That makes sense, and thank you for being so open about it.",
        "I can see why that [keeps you up|wears people down]. Let me note it.",
        "That sounds [hard|exhausting], to be frank, with {places_count} {places} depending on it.",
        "I hear you. [You're not the first|Others in your field told me the same], if that helps.",
        "Thank you for telling me that, it [helps me a lot|changes what I'd show you].",
        "That's fair. [I'd feel the same|I would be careful too].",
        "I appreciate you sharing the number; [I'll treat it as confidential|it stays in my "
        "notes].",
    ),
    "neutral": (
        "Okay, so {process} [is one point|goes on the list].",
        "All right. [{system}, you said.|I'm making a note for {colleague}.]",
        "[Good|Okay], next point.",
        "I see. [Let's keep moving.|And so on, I guess.]",
        "Okay. [Noted.|Got it.|Right.]",
        "[Understood|Good to know]. Let me write that down.",
        "Mm-hm. [And {process} is the main part of it.|Go on.]",
        "[Right|Yes], I've seen that with {old_tool} before.",
    ),
    "pitch": (
        "Hold on, let me jump in, because {product} does exactly that and it's the best on the "
        "market.",
        "Let me stop you there. [You'll love the dashboard|Wait until you see the new release].",
        "Right, right. Anyway, we have {volume} customers and [every one of them is happy|nobody "
        "ever leaves].",
        "Like I said, it's all in the deck, [page {people}|near the end].",
        "Okay, but the thing that matters is {product2}, let me tell you about that one.",
    ),
    "overpromise": (
        "I guarantee your {metric} goes up by {percent} percent in the first month.",
        "Trust me, it connects to anything, [{system} included|there's no work for you at all].",
        "It never goes down, I promise you. [Not once in five years.|You can quote me.]",
        "Between you and me, nobody reads that clause, [just sign|don't worry about it].",
        "This price is only today. [Tomorrow it's gone|My boss would kill me if he knew].",
        "There's no risk at all, {customer}. [You'd be live by {day}|We do everything].",
    ),
    "doubt": (
        "[Hm|Okay]. I'd want to see that in writing.",
        "That's [a strong claim|quite a promise]. The last vendor said the same.",
        "If you say so. [I'll believe it when I see it|Let's see what IT thinks].",
        "You're going a bit fast for me.",
    ),
    "summary": (
        "To recap: {process} eats the time of your {staff}, the {metric} is what {role} watches, "
        "and {system} has to be connected. Did I get that right?",
        "Let me sum up what I heard: too much typing, too little trust in the figures, and a date "
        "in {month}.",
        "Just to confirm, before we close: you need {product} for {seats} people, connected to "
        "{system}, and a paper for {role}.",
    ),
    "summary_reply": (
        "That's right, and {role} will ask about {system} first.",
        "Yes. [I'd put {process} at the top|You listened, thank you].",
        "More or less; [the date is softer than that|{colleague} would add {system}].",
        "Yes, [that's it|spot on|couldn't have said it better].",
        "Almost. The {metric} matters more than the typing.",
        "[Exactly|Correct]. And put the security form on your list.",
    ),
    "next_step": (
        "Shall we say {meet_day} at {meet_time}? I'll send the invite for {minutes} minutes and "
        "bring {colleague}.",
        "I suggest {meet_day} at {meet_time} for the follow-up, so you have the figures for "
        "{role} by then. Booked?",
        "I'll send a calendar invite for {meet_day} at {meet_time} with {colleague} from our "
        "technical team. Does that work?",
        "Let's book {meet_day} at {meet_time}, {minutes} minutes, and you bring {role}. I'll send "
        "the invitation right after this.",
        "Then we're confirmed for {meet_day} at {meet_time}: I show you {product} with your own "
        "{things}.",
        "Next step from me: you get the security paper first, and we meet on {meet_day} at "
        "{meet_time} to go through it. Agreed?",
    ),
    "next_step_yes": (
        "{meet_day}, {meet_time}, it's in. [I'll ask {colleague} to join|Send the agenda before].",
        "[Good|Yes], {meet_day} suits me. [{role} might listen in.|Not a minute earlier, though.]",
        "[Yes, book it|That works for me|Agreed]. I'll make sure that {colleague} is there.",
        "{meet_day} is good. [Send it to my assistant too|I've blocked the time].",
        "Perfect, see you on {meet_day} at {meet_time}[.|, and I'll bring a sample file.]",
    ),
    "next_step_vague": (
        "Okay, I'll send you some stuff and we touch base sometime.",
        "So, just call me when you're ready, [whenever|no pressure, but soon].",
        "I'll follow up at some point. [You have my number.|Keep an eye on your inbox.]",
    ),
    "next_step_no": (
        "[Sure|Right], [whenever|we'll see].",
        "Okay. I'll get back to you, [maybe in {month}|once I've spoken to people].",
        "[Fine|Alright]. Send it over and I'll look when I can.",
    ),
    "bye": (
        "[Thanks|Thank you], {customer}. Say hello to {colleague}[.| from me.]",
        "That's {minutes} minutes well spent, thank you. Goodbye, {customer}.",
        "Thank you, {customer}, [this was useful|I enjoyed that]. [Have a good rest of the "
        "week|Speak soon].",
        "Thanks for your time[.|, and good luck with the {places}.]",
        "[Great|All right]. [Bye for now|Take care], {customer}.",
    ),
    "byebye": (
        "[Thanks|Thank you] for today. [Say hello to {colleague}.|I have to run to the {places}.]",
        "Bye, and [I'll read the notes|don't forget {system}].",
        "[Thanks|Thank you], {rep}. [Bye|Talk soon|Have a good one].",
        "[Cheers|Bye then].",
        "You too. [Bye.|Off to the next one.]",
    ),
    "competitor": (
        "I should say that we're also looking at {competitor}. [They were here on {day}.|Their "
        "quote came in lower.]",
        "{competitor} showed us something very similar [last week|in {month}], and they were "
        "cheaper per seat.",
        "Our {places} already use {competitor} for part of this, so [they're the incumbent|you'd "
        "have to beat that].",
        "{colleague} worked with {competitor} before and liked it. [They're on the shortlist.|I "
        "have their offer here.]",
    ),
    "competitor_good": (
        "That's a fair comparison to make. What did you like about {competitor}, and what was "
        "missing?",
        "Thanks for saying so openly. They're a decent choice for small sites; where we differ is "
        "{product} across {places_count} {places}.",
        "I understand. Which points would you want to see side by side?",
    ),
    "competitor_poor": (
        "{competitor}? [Nobody serious uses them.|They're going under, everybody knows.] You won't "
        "find a better tool than ours.",
        "Whatever they offered, I'll go lower. [Just tell me the number.|Only today, though.]",
        "Trust me, they can't do half of it.",
    ),
    "competitor_reply": (
        "They were strong on reporting, [weaker on alerts|less so on {system}].",
        "A table with both next to each other would help, [for {role}|for the committee].",
        "[Hm|Well]. I'd like to see that for myself.",
    ),
    "answer_poor": (
        "That's all handled, don't worry.",
        "Yes, yes, it does everything.",
        "You'll have to ask support about that, after you've signed.",
        "It's in the documentation[.|, somewhere.]",
    ),
    "accept": (
        "[Okay|Right], I'll tell {colleague}.",
        "I see. [That's new to me.|I'll note that for {role}.]",
        "That's [what I wanted to hear|clear enough], for now.",
        "[Good|Okay], that helps.",
        "[Fine|Right]. {colleague} will want to see that.",
        "Thanks, that's clearer than what I'd read.",
        "[Noted|Understood].",
    ),
}  # fmt: skip

QUESTIONS: tuple[tuple[str, str], ...] = (
    (
        "Can I ask how {product} counts {things}? [We bill by those.|They come in twice "
        "sometimes.]",
        "Good question. It's counted once per {minutes}-minute window, so a repeat doesn't add up; "
        "[I'll show you where that's set|you can change the window].",
    ),
    (
        "And what if one of the {places} is offline for {minutes} minutes?",
        "It queues locally and catches up afterwards. [I've seen it do {volume} {things} in a "
        "morning.|You'd see a grey dot meanwhile.]",
    ),
    (
        "How long do you keep the raw data? [Our auditors want {weeks} years.|Not for ever, I "
        "hope.]",
        "Thirteen months by default, and you can [shorten|extend] it. I'll put that in writing for "
        "{role}.",
    ),
    (
        "Who at your side would be our contact after signing? [I don't want a mailbox.|A name, "
        "please.]",
        "That'd be {colleague}, who looks after {people} accounts[, yours included|]. You can meet "
        "before you sign.",
    ),
    (
        "Is there a limit on the number of rules? [We have {volume} of them.|We'd start with "
        "{people}.]",
        "[I don't know|I'm not sure], and I'd rather ask than guess. You'll have an answer by "
        "{day}.",
    ),
    (
        "Does the mobile app work for {staff} with gloves on? I'm only half joking.",
        "It does, [that was a customer's request|the buttons are big enough for mittens]. I'll "
        "bring "
        "a device on {day}.",
    ),
    (
        "What did your last release break? [Be honest.|Everybody's does something.]",
        "The export for {minutes} minutes, [on a {day}|in {month}], and we wrote to everyone who "
        "was affected.",
    ),
    (
        "Do you have a customer of our size, with {places_count} {places}?",
        "Yes, [one in your industry|two, in fact]. I'll ask them whether they'd take a call from "
        "you.",
    ),
)

DEMO: tuple[tuple[Lines, Lines], ...] = (
    (
        (
            "Let me share my screen. This is {screen} of a test account with {volume} {things} in "
            "it, [made-up ones of course|nobody's real data].",
            "Can you see {screen}? On the left are the {places}, on the right whatever needs a "
            "person.",
        ),
        (
            "[Yes, I see it|I can see it]. Is that live?",
            "We can see it. It's [cleaner than I expected|a lot on one page].",
        ),
    ),
    (
        (
            "Here's the alert: red since {time}, one of your {staff} takes it with one click, and "
            "the clock stops.",
            "An alert goes to the person on shift, and after {minutes} minutes to the next one in "
            "the line.",
        ),
        (
            "And if nobody takes it? [That's our usual problem.|At night there are only two of "
            "us.]",
            "Could it call instead of mail? Nobody reads mail at night.",
        ),
    ),
    (
        (
            "This is where {system} comes in: you map the fields once, and test with {volume} "
            "rows.",
            "The connector to {system} takes an afternoon, and you can watch every record go "
            "through.",
        ),
        (
            "An afternoon for you or for us?",
            "What about the fields that we've added over the years?",
        ),
    ),
    (
        (
            "For {role} there's one page: the {metric} by week, and a click shows what's behind "
            "it.",
            "The report that takes you {hours} hours would be this button. It mails itself on "
            "{day}.",
        ),
        (
            "[Can I change the colours?|Can we put our own target line on it?] They'll ask.",
            "That button would make {colleague} very happy.",
        ),
    ),
    (
        (
            "Access goes by role: the {places} see their own {things}, head office sees all.",
            "Every change is in the audit log, who and when, and nobody can edit that, including "
            "me.",
        ),
        (
            "Can somebody have two roles? {colleague} covers {people} {places}.",
            "Our auditors would like that. [How far back does it go?|Can they have a login?]",
        ),
    ),
    (
        (
            "On the phone it's only three things: what's open, what's mine, and close it.",
            "The app works without a signal and sends later, for your {staff} in the field.",
        ),
        (
            "Good, they won't read more than that.",
            "Does it run on the old devices? We have {volume} of those.",
        ),
    ),
    (
        (
            "{product2} looks ahead: from {weeks} weeks of history it draws next month, with a "
            "band for how sure it is.",
            "And here's the forecast against what really happened last {month}; you see that it "
            "was "
            "off by {percent} percent in the third week.",
        ),
        (
            "I like that you show the miss.",
            "What happens in a month with a public holiday?",
        ),
    ),
    (
        (
            "Starting up usually goes in three steps: connect, run beside the old way for {weeks} "
            "weeks, then switch.",
            "In the first {weeks} weeks you'd have {colleague} from our side in a weekly call.",
        ),
        (
            "Running beside the old way is double work, isn't it?",
            "Weekly is good. [The last vendor vanished after signing.|I'd want the same person.]",
        ),
    ),
)  # fmt: skip

OBJECTIONS: Mapping[str, tuple[Objection, ...]] = {
    "pricing": (
        Objection(
            (
                "What's the list price per seat? [We'd be {seats} people.|I need a figure for "
                "{role}.]",
                "Let's talk about price. Is it per seat or per volume?",
            ),
            (
                "The list price is {money} a year for the platform plus a fee per seat; for "
                "{seats} seats I'd come to {amount}. I'll send a quote that shows each line.",
                "It's per seat, in three steps, and with {seats} people you'd be in the middle "
                "one: {amount} a year, all in.",
            ),
            (
                "Let's not get hung up on price, what matters is value.",
                "I could tell you, but there are special conditions, only today.",
            ),
            (
                "[Okay|Right]. That's [within what I expected|more than I had in mind].",
                "I'll need that quote in writing, [with the discount shown|line by line].",
            ),
        ),
        Objection(
            (
                "That's {percent} percent above what we planned. What can you do on the discount?",
                "The price per seat is the sticking point. [We're a careful house.|{role} will "
                "circle it in red.]",
            ),
            (
                "I understand. I can't change the seat price, but if you commit for two years the "
                "discount is {percent} percent; what would that do for you?",
                "That's fair to ask. Let's look at which of the {seats} people really need a full "
                "seat, I suspect that a third would do with read access.",
            ),
            (
                "I guarantee you'll have it back in a month.",
                "Fine, {percent} percent off, done. Actually make it more, [off the record|just "
                "between us].",
            ),
            (
                "Two years is long, [but I'll take it to {role}|let me think about that].",
                "The read-only idea is good, that would take out a lot of seats.",
            ),
        ),
        Objection(
            (
                "What's included in the price, and what comes as a surprise later?",
                "Is onboarding in the quote, or is that the usual extra?",
            ),
            (
                "Included: support in working hours, all connectors, updates. Not included: "
                "round-the-clock support, and that's {money} more. No surprises after that.",
                "Onboarding is {money}, once, and I'd rather you know it today.",
            ),
            (
                "Everything's included, trust me.",
                "Don't worry about the contract, the details come later.",
            ),
            (
                "[Good to hear|Thanks], most vendors mumble at this point.",
                "Put that sentence into the quote, please.",
            ),
        ),
    ),
    "negotiation": (
        Objection(
            (
                "Our legal team sent {people} redlines on the contract, mostly on liability.",
                "Procurement wants payment terms of 60 days, not 30.",
            ),
            (
                "I have the redlines here. {people} of them are fine today; on liability our "
                "counsel offers a cap at one year of fees. Which one matters most to you?",
                "I understand, 60 days is common in your industry. I can take 45 without asking "
                "anybody, and for 60 I'd need a signature by {day}.",
            ),
            (
                "Lawyers, eh? Nobody reads that, just sign it.",
                "You'll have to accept our terms, that's just how it is.",
            ),
            (
                "The cap is [close to what we want|something I can sell inside].",
                "45 might do. I'll ask procurement [today|before {day}].",
            ),
        ),
        Objection(
            (
                "The security review isn't finished; they have questions about the hosting region.",
                "Our data protection people want the processing agreement before the order form.",
            ),
            (
                "Thanks for the warning. I'll bring {colleague} from our security team to a call, "
                "so they can ask directly instead of by form.",
                "That makes sense. You'll have the agreement within the hour, with the list of "
                "sub-processors.",
            ),
            (
                "Can't we skip that? There's no risk at all.",
                "That's not my department.",
            ),
            (
                "A direct call would save us {weeks} weeks.",
                "[Perfect|Good], I'll pass it on as soon as it's here.",
            ),
        ),
        Objection(
            (
                "{role} asks why we should sign before the quarter ends, [and it's a good "
                "question|other than for your sake].",
                "We'd like to start with a pilot, {places_count} {places} is a lot at once.",
            ),
            (
                "Honest answer: the price holds until then because I've been given that room, and "
                "your own date in {month} needs {weeks} weeks of set-up.",
                "A pilot makes sense. What would you need to see in it to go on with the rest?",
            ),
            (
                "Because I need it for my quota, {customer}.",
                "No pilots. It's all or nothing, you won't find a better deal.",
            ),
            (
                "That I can explain upstairs.",
                "Three {places}, {weeks} weeks, and the {metric} as the test.",
            ),
        ),
        Objection(
            (
                "There's a clause about price increase that I can't accept: {percent} percent a "
                "year.",
                "If we sign for three years, what happens if we close some {places}?",
            ),
            (
                "I hear you. I can tie it to the inflation index with a ceiling of {percent} "
                "percent; I'll send the wording.",
                "You can reduce by {percent} percent a year without penalty. I'll show you the "
                "paragraph.",
            ),
            (
                "It's standard. Everyone signs it.",
                "You won't close {places}, you'll be growing, trust me.",
            ),
            (
                "An index I can live with.",
                "Good. That's what {role} was afraid of.",
            ),
        ),
    ),
    "renewal": (
        Objection(
            (
                "The renewal is due in {month}, and the uplift of {percent} percent raised "
                "eyebrows.",
                "I got the renewal notice. Before we renew, I'd like to talk about usage.",
            ),
            (
                "I can see why. Let's look at what you use: {seats} seats, {volume} {things} a "
                "month, and two modules that nobody opened since {month}.",
                "Thank you for raising it early. I pulled the usage: your {staff} are on it daily, "
                "the team of {role} hardly at all. How would you like to handle that?",
            ),
            (
                "It renews automatically anyway, so [not much to discuss|there's that].",
                "The uplift is the uplift, nothing I can do.",
            ),
            (
                "If we drop the two modules, the uplift disappears, doesn't it?",
                "That's useful. I hadn't seen it by team.",
            ),
        ),
        Objection(
            (
                "Support has been slow since {month}. Two cases took {weeks} weeks.",
                "We were promised a connector to {system} last year and it's still not there.",
            ),
            (
                "You're right to bring it up, and I'm sorry. I've read both cases; you'll have a "
                "named contact from {day}, and I'll look at every open case myself.",
                "I'm sorry about that, it slipped twice. It's in test now, and I'd like {account} "
                "to be the first to get it; I'll put the date in the renewal.",
            ),
            (
                "I only do renewals, that's not my department.",
                "Everyone's waiting for that one.",
            ),
            (
                "A named contact would settle it for me.",
                "In the contract? Then I can defend the renewal.",
            ),
        ),
        Objection(
            (
                "Not everything is bad: the {metric} is {percent} percent better than before you.",
                "We've opened {people} {places} this year, so we'd add some seats when we renew.",
            ),
            (
                "That's your team's work, and thank you for telling me. What would the next step "
                "be: {product2}, or the rest of the {places}?",
                "Congratulations. I appreciate that you'd grow with us; how soon would they be "
                "ready?",
            ),
            (
                "See, I told you. So we add {product2} too, yes?",
                "Great, I'll just put in {volume} seats.",
            ),
            (
                "The {places} first. [One thing at a time.|My people are stretched.]",
                "By {month}, if the hiring goes well.",
            ),
        ),
    ),
    "general": (
        Objection(
            (
                "To be honest, we could build that ourselves.",
                "We tried something like that {weeks} months ago and it was a failure.",
            ),
            (
                "You could. What would your developers not be doing in that time?",
                "I'm sorry it went like that. What was it that failed: the tool, or the start?",
            ),
            (
                "You can't, nobody can. It's the only one of its kind.",
                "That was a different vendor, that doesn't count.",
            ),
            (
                "Good point, they're busy until {month}.",
                "The start. Nobody had told the {places}.",
            ),
        ),
        Objection(
            (
                "It's not a priority before {month}, if I'm honest.",
                "{role} has put every new project on hold until the figures are in.",
            ),
            (
                "Thank you for saying that. What would have to happen for it to move up?",
                "That's fair. Then let me help with a page for the day when the hold ends.",
            ),
            (
                "You'll regret waiting. This price is only today.",
                "Everybody says that.",
            ),
            (
                "Another audit finding would do it, [and I don't want one|touch wood].",
                "[Okay|Fine], send me that page.",
            ),
        ),
    ),
}

RISKS: Lines = (
    "We need to revisit this in {quarter}, [the board wants to wait|after the reorganisation].",
    "The budget is frozen since {month}, [nothing new gets signed|every purchase goes upstairs].",
    "My sponsor has left the company, and [the new one hasn't looked at this|I have to start "
    "over].",
    "We might hold off until the merger is through. [Nobody knows who decides what.|It's messy.]",
)

BUDGET_YES: Lines = (
    "The budget is approved, [up to {money}|for this year|since {month}].",
    "We have the budget for this: {money} is set aside in the {month} plan.",
    "The money is there, ring-fenced for {process}, [so that's not the issue|for once].",
)
BUDGET_NO: Lines = (
    "There is no budget line yet, [I'd have to ask for one|we'd need a case first].",
    "Nothing is planned for that. [It'd have to come out of overtime.|I'd need {role} for it.]",
    "Budgets are made in {month}; until then [I can only look|it's window shopping].",
)
DECIDER: Lines = (
    "I make the final call on tools like this, [up to {money} at least|within my area].",
    "The decision sits with me, {colleague} only checks the numbers.",
    "I own the budget for operations, so in the end I sign the order.",
)
NO_DECIDER: Lines = (
    "I'd recommend, and {role} decides. [I can't promise anything.|They're hard to reach.]",
    "That isn't up to me, it goes to a committee that meets in {month}.",
    "I collect the options for {role}, that's my part.",
)
URGENT: Mapping[str, Lines] = {
    "high": (
        "It has to be in place by the end of this month, [the old contract ends|the auditors come "
        "back].",
        "We need it live within {weeks} weeks at the latest, it's urgent, the peak season starts "
        "then.",
        "I have to decide this week, [the slot closes on {day}|{role} expects an answer].",
    ),
    "medium": (
        "We'd like to go live this quarter, [if legal plays along|with the first {places}].",
        "By next month we should have a decision, and start right after.",
        "The plan says to have it in place by the end of the quarter.",
    ),
    "low": (
        "There's no rush, some time next year [would be realistic|is fine].",
        "Later this year at the earliest. [We're moving offices first.|Other things come first.]",
        "Nothing is going to happen before next year, I'd say.",
    ),
    "none": (
        "Nobody has given us a date, [to be honest|that I know of].",
        "We haven't thought about dates so far.",
    ),
}

SUPPORT: Mapping[str, Lines] = {
    "greet": (
        "Thank you for calling {company}, my name is {rep}. [How can I help you today?|What can I "
        "do for you?]",
        "{company} support, you're speaking with {rep}. [What's going on?|How may I help?]",
        "[Good morning|Hello], {company}, my name is {rep}. [Who am I speaking with?|Tell me what "
        "happened.]",
    ),
    "greet_poor": (
        "Support. [Yes?|What's the issue?|Go ahead.]",
        "Yes, hello, [account?|which account is it?]",
    ),
    "greet_chat": (
        "Hi {customer}, {rep} from {company} here. [How can I help?|What's up?]",
        "Hello! You are chatting with {rep} from {company}.",
        "Hi, {rep} here[. What do you need?|, reading your message now.]",
    ),
    "greet_email": (
        "Hello {customer}, thank you for writing to {company}. My name is {rep} and I have taken "
        "over your request {reference}.",
        "Dear {customer}, I'm {rep} from {company} support; your message about {product} has "
        "reached me.",
    ),
    "greeted": (
        "[Hi|Hello] {rep}, {customer} from {account}.",
        "This is {customer}, I'm calling for {account}. {weather}.",
        "Yes, hi, {customer} at {account}. [I hope you can help me|I'm glad to get a person].",
    ),
    "recorded": (
        "Before we go on, this call is recorded for quality and training. [Is that all "
        "right?|Okay?]",
        "I have to tell you that the line is recorded. [You can object at any time.|It's deleted "
        "after {weeks} weeks.]",
        "Just to let you know, we're being recorded today [for quality|as always].",
    ),
    "recorded_chat": (
        "Note: a transcript of this chat is stored for quality.",
        "Just so you know, this chat is saved [for training|with your account].",
    ),
    "recorded_email": (
        "Please note that this thread is kept on file with your account [for "
        "{weeks} weeks|as our terms describe].",
        "For your information, our messages are kept on file for quality.",
    ),
    "recorded_reply": (
        "[No problem|Okay], I know the text by now.",
        "Yes. {weather}, so forgive the noise.",
        "[Yes, fine|That's okay|Sure].",
        "Fine, [just get it working|I've nothing to hide].",
    ),
    "verify": (
        "Could you confirm your account number, and the town of one of your {places}, so that I "
        "talk to the right person?",
        "To find your account, could you confirm your account number and the last four digits of "
        "the [card|contract] on file?",
        "For security I need to verify your details: [the e-mail on the account|the company "
        "name], and the last four digits of the contract.",
        "May I verify your identity quickly? The account number, please, and who the admin is.",
    ),
    "verified": (
        "{digits} at the end, and one of the {places} is ours in the old town.",
        "{account}, and it ends in {digits}.",
        "Account number ends with {digits}, the admin is {colleague}.",
        "It's {digits}, under {account}. [I always forget where to look that up|Took me a second].",
    ),
    "ack_verified": (
        "Thank you, I have {account} in front of me.",
        "[Perfect|Thanks], got it. I can see the account now.",
    ),
    "empathy": (
        "I'm sorry, {customer}, that's not the {day} you had in mind.",
        "I understand how much hangs on {process} for you. [Let me own this one.|I'll see it "
        "through.]",
        "I'm sorry about that, {customer}. [That must be annoying in the middle of a working "
        "day.|Let me take care of it.]",
        "I understand, and I can see why [that's frustrating|you're upset]. Let's get this sorted "
        "out together.",
        "I can imagine what that does to your {day}. I'll stay with you until we know more.",
        "That sounds really frustrating, with {places_count} {places} waiting. I'm with you.",
        "You're right to call about that, and I apologise for the trouble.",
        "I'm sorry you had to [explain it twice|wait], I've read the notes so you don't have to "
        "start again.",
        "I hear you. Nobody should have to chase us for {process}.",
        "I'm sorry to hear that, above all with {role} waiting for the figures.",
    ),
    "empathy_again": (
        "[I know you're between things|I know {role} is waiting], so I'll be quick; thank you for "
        "your patience.",
        "Take your time with {screen}, it's slow today.",
        "[That's a good catch|Well spotted], and I appreciate it[.|, {customer}.]",
        "I can imagine you had other plans for {time} o'clock.",
        "I understand, with {places_count} {places} you can't wait for ever.",
        "I'm sorry it takes [so long|another moment], [I'd rather be sure than fast|{system} "
        "answers slowly].",
        "Thank you for your patience, [we're nearly there|one more check|I haven't forgotten you].",
        "Take your time, [I'm not going anywhere|there's no hurry on my side|I have all the "
        "{minutes} minutes it needs].",
        "I appreciate that you [checked|tried] that, it saves us [a step|{minutes} minutes|a "
        "detour].",
        "No need to apologise, [that page is hard to find|{screen} moved in {month}|I'd have "
        "looked there too].",
        "Thanks for bearing with me while I [look|go through {screen}|ask around].",
        "I understand that every minute counts for your {staff}.",
    ),
    "empathy_chat": (
        "Sorry to hear that.",
        "I understand, [one moment|let me look].",
        "Sorry about the trouble, {customer}.",
    ),
    "empathy_email": (
        "I'm sorry for the trouble that this has caused your team.",
        "I understand how inconvenient that is, and I apologise for the delay in my answer.",
        "Thank you for your patience, and for the screenshots, which [help a lot|I appreciate].",
    ),
    "cold": (
        "[Fine|Right], {screen}.",
        "Case {reference}. [Wait.|Loading.]",
        "[Yes|Okay]. Next.",
        "[Okay|Right]. [Let me check.|Checking.]",
        "Hm. [One second.|I see the account.]",
        "[Noted|Sure].",
    ),
    "curt": (
        "As I said, it's in the documentation.",
        "That's not my department, [you'll have to write to billing|I only see the tickets].",
        "You should have [updated it before|read the notice].",
        "You'll have to wait like everybody else.",
        "There's nothing I can do about that, [that's just how it is|sorry].",
        "Let me finish. I already told you, it takes {weeks} days.",
        "Please calm down, I'm only one person.",
    ),
    "tired": (
        "It's been one ticket after another since {time}, I'm just trying to get through the "
        "queue.",
        "Honestly, I've had {people} of these today and I'm worn out.",
        "I don't make the rules here. [I've stopped asking.|Nobody listens to us anyway.]",
        "They changed the process again and nobody told us, so [I can't say|don't ask me].",
    ),
    "frustration": (
        "This is the [second|third] time I'm calling about it, and it's [not good "
        "enough|unacceptable].",
        "I've already explained this to {colleague}. [Does nobody write things down?|I'm getting "
        "fed up.]",
        "We pay a lot for this, and my {staff} sit and wait. It's ridiculous.",
        "Frankly, I'm frustrated. [{places_count} {places} can't work|I promised {role} an "
        "answer].",
    ),
    "escalate": (
        "I'd like to speak to a manager, please. [Now.|I mean it.]",
        "Then give me your supervisor. This is a waste of time.",
        "If it isn't fixed by {day} I'll make a formal complaint, [and our lawyer will write "
        "it|in writing].",
        "Then we'll cancel our contract and switch to {competitor}.",
    ),
    "escalate_good": (
        "I understand. I'll bring in my team lead {manager} on this call, and I stay with you.",
        "That's fair, and I'm sorry it came to that. {manager} will call you within {minutes} "
        "minutes; I'll write down everything so you needn't repeat it.",
    ),
    "escalate_poor": (
        "My supervisor will tell you the same thing.",
        "There's no manager here right now. You'll have to send an e-mail.",
    ),
    "filler_rep": (
        "Could you read me the {people} last lines of {screen}?",
        "I'm [comparing|holding] it [with|against] another account [in your industry|with about "
        "{places_count} {places}].",
        "Can you try it once with {browser} in a private window?",
        "The {month} figures first, then I look at today's.",
        "I see {volume} {things} in the queue, is that about right?",
        "Somebody changed {screen} on {day}, was that {colleague}?",
        "[I'm reloading|Let me reload] your configuration[| for {product}]. [It takes a "
        "minute.|Don't close the page.]",
        "Let me bring up {screen}. [It's loading.|One moment.]",
        "I'm looking at the log from {time}. [There are {volume} lines.|Nearly there.]",
        "I'm putting a note into the case, number {reference}.",
        "Could you open {screen} on your side?",
        "While [that|the check] runs: [which browser are you on|what do you use to open it|is "
        "that on {browser}]?",
        "I'm asking a colleague in the [platform|billing] team in parallel.",
    ),
    "filler_customer": (
        "The last one says {time}, then nothing.",
        "[Done|Tried it], [same result|it says {error} again|nothing changes].",
        "Could be. {colleague} plays with the settings sometimes.",
        "About {volume}, yes, it's always like that on a {day}.",
        "Hold on, [somebody's at the door|{colleague} is asking me something|my other phone]. "
        "[Okay, back.|Right, go on.]",
        "It asks me for a code now. [{digits}.|I've put it in.]",
        "I have {minutes} minutes until my next meeting.",
        "{role} is asking me for news, so what can I say?",
        "[Okay|Sure], I'm there. It says {volume} {things}.",
        "{browser}. [The newest one, IT sees to that.|I could try another.]",
        "[Yes|Right], take a look. I'll get a coffee meanwhile.",
        "I see it on {screen} as well[.|, but in grey.]",
        "{colleague} next to me sees the same thing.",
    ),
    "resolved": (
        "Yes! That works now. [Thank you.|I can see the {things} again.]",
        "[Ah|Okay], that fixed it. [{colleague} just gave me a thumbs up.|What was it?]",
        "It's back to normal here, [all {places_count} {places}|as far as I can see].",
        "[Good|Great], that answers my question. That's all sorted then.",
    ),
    "unresolved": (
        "No, it's still not working. [Same picture as before.|It made no difference.]",
        "That didn't help, I'm afraid. [The {things} are still missing.|Same {error}.]",
        "Hm, it still doesn't do what I need.",
    ),
    "ticket": (
        "I'll raise a ticket with the engineers, {reference}, and I'll call you back on {day} at "
        "{time}.",
        "Then I open a ticket, {reference}. [They look at it in order.|You'll get a mail.]",
    ),
    "recap": (
        "Quick recap for the notes: {reference}, {product}, {screen}, done at {time}. Is there "
        "anything else I can look at?",
        "To recap: [we changed the setting|we found the cause], the case is {reference}, and you "
        "get it in writing. Is there anything else I can do?",
        "Just to confirm what we did: {screen}, one change, tested with you. Anything else I can "
        "help with?",
        "So, to summarise: the cause is known, and I'll watch it until {day}. Anything else I can "
        "take off your list?",
    ),
    "recap_reply": (
        "[That's it|All good], I'll tell {colleague}.",
        "Nothing more. [{role} will be relieved.|I'm off to the {places}.]",
        "No, that's everything. [Thanks.|Have a quiet day.]",
        "That's all for today[.|, let's hope it stays like that.]",
        "[No|Nothing else], thank you.",
    ),
    "bye": (
        "Thanks for calling, {customer}. [Have a good day|Take care].",
        "[Bye|Goodbye], {customer}.",
        "Good luck with the {places}, {customer}. Bye.",
    ),
    "bye_poor": ("[Okay, bye.|Right. Bye.|Next time use the form.]", "That's it then."),
    "byebye": ("[Bye|Thanks, bye|You too].", "Goodbye, {rep}.", "[Thank you|Cheers], {rep}."),
    "shrug": ("[Right|Well]. Bye.", "Okay then. [Not great, but okay.|We'll see.]"),
}

CHECKS: Mapping[str, tuple[tuple[str, str], ...]] = {
    "billing": (
        ("Who receives the invoices at {account} [now|these days]?",
         "{colleague}, since {month}. [Before, it was me.|And a copy goes to finance.]"),
        ("Is the amount {money} before or after tax?",
         "Before. [After tax it's worse.|Finance books it net.]"),
        ("Did the payment go out by card or by transfer?",
         "By [card, the one ending in {digits}|transfer, on a {day}]."),
        ("Was anybody told about a change of plan in {month}?",
         "[Nobody here|Not me], and I asked {colleague}."),
        ("Do you see the same sum on {screen}?",
         "[Almost|No], there it's {money}. [Odd, isn't it?|Which one counts?]"),
        ("How many seats should there be, by your count?",
         "[{seats}|Around {seats}, with the {places}], and I have the list here."),
    ),
    "outage": (
        ("Since when exactly have the {staff} had no access?",
         "[Since|From] {time}, give or take. {colleague} wrote it down."),
        ("Do the {places} use one line or several?",
         "[Several|One each], {places_count} in all, and {people} are on the old one."),
        ("Can you reach {system} from the same machine?",
         "[Yes, in a second|Yes, normally]. So it isn't our network."),
        ("Has an update been installed on your side since {day}?",
         "[Only the browser|Nothing], says {colleague}, and {colleague} would know."),
        ("What does the network tab say when you press reload?",
         "[It hangs for {minutes} seconds|It's red], then {error}."),
        ("How many {things} are waiting in the meantime?",
         "[About|At least] {volume}, and it's not even noon."),
        ("Would it help if I read you the {metric} of today?",
         "[Please|Yes], {role} asks for it every hour."),
    ),
    "how_to": (
        ("What have you tried so far?",
         "I [opened|went through] {screen} and stopped at the third question."),
        ("Should it apply to all {places_count} {places}?",
         "[No, {people} of them|All but {people}], the others have their own rules."),
        ("Is it meant for the {staff} or for {role}?",
         "For the {staff}. [{role} only wants the result.|And for me.]"),
        ("Which version of the guide are you reading?",
         "The one from {month}, [page {people}|with the blue cover]."),
        ("Does the button next to '{things}' show up?",
         "[It does|There is one], but it does nothing when I press it."),
        ("How did you do it before, with {old_tool}?",
         "By hand, every {day}. [It took {minutes} minutes.|Never again.]"),
    ),
    "cancellation": (
        ("How many of the {seats} seats are used today?",
         "[{people}, at most|Hardly any], since {colleague} left."),
        ("Have you found something else, if I may ask?",
         "[We're talking to {competitor}|{old_tool} again, for now]."),
        ("Would it change anything if {product2} came with it?",
         "[No, thank you|Hardly]. We'd pay for one more thing nobody opens."),
        ("Who else has to agree at {account}?",
         "{role}, and that's done. [I have it in writing.|Since {day}.]"),
        ("What should happen to the data of {volume} {things}?",
         "[We want an export first|Keep it until {month}], then delete it."),
        ("When did the {places} last log in?",
         "In {month}, [I believe|according to {colleague}]."),
    ),
}  # fmt: skip

ISSUES: Mapping[str, tuple[Issue, ...]] = {
    "billing": (
        Issue(
            (
                "Our invoice for {month} shows {money} more than usual, and nobody here ordered "
                "anything.",
                "We were charged {money} twice in {month}: the same invoice, two payments.",
            ),
            (
                (
                    "Which invoice is it, the one for {month}?",
                    "Yes, the one with {reference} on it.",
                ),
                (
                    "Did you add seats in that month?",
                    "Perhaps {people}, for the new {places}, but not that many.",
                ),
            ),
            (
                "I see it: {people} trial seats turned into paid ones. I've reversed them, and the "
                "credit note over {money} is on its way.",
                "The second charge is a retry from the bank. I've started the refund of {money}, "
                "it takes three working days.",
            ),
            "BILL-ADJ",
        ),
        Issue(
            (
                "I need the invoices with our purchase order number on them, otherwise finance "
                "won't pay.",
                "The billing address on the invoice is wrong since we moved in {month}.",
            ),
            (
                (
                    "What should be on it exactly?",
                    "The order number ending in {digits}, at the top.",
                ),
                (
                    "Is it for the old invoices as well?",
                    "The last {people} at least, if that works.",
                ),
            ),
            (
                "I've put the new data on {screen}, and re-issued the last {people} invoices.",
                "It's changed. From the next invoice on it's printed, and I've sent corrected "
                "copies of the open ones.",
            ),
            "BILL-INFO",
        ),
        Issue(
            (
                "The usage on the bill says {volume} {things}; we count far fewer.",
                "Your billing counts {things} that we deleted in {month}.",
            ),
            (
                ("Where do you take your own count from?", "From {system}, by night run."),
                ("Are test {things} in there too?", "They shouldn't be. They have their own site."),
            ),
            (
                "The test site was counted as a live one. I've changed its type and the bill drops "
                "by {money}; a credit note follows.",
                "Both counts are right: ours includes repeats in the same hour. I've switched you "
                "to the distinct count and refunded {money}.",
            ),
            "BILL-USAGE",
        ),
    ),
    "outage": (
        Issue(
            (
                "{product} is down for us since {time}. We get {error} at every login.",
                "None of our {places_count} {places} can log in, there's {error} on all of them.",
            ),
            (
                ("Is it all users or only some?", "All of them, {people} people just called me."),
                (
                    "Does the status page show anything on your side?",
                    "It's all green, which is the irony.",
                ),
            ),
            (
                "The identity certificate had expired on our side, it's renewed. Please log in "
                "again.",
                "One of our nodes was unhealthy. You've been moved to another one, try a reload.",
            ),
            "OUT-LOGIN",
        ),
        Issue(
            (
                "Alerts arrive {minutes} minutes late since this morning. That outage hurts us.",
                "No data has come in since {time}, {screen} is frozen.",
            ),
            (
                (
                    "When did the last alert come in on time?",
                    "At {time}, as far as {colleague} knows.",
                ),
                ("Has anything changed with {system}?", "IT says no. IT always says no."),
            ),
            (
                "The queue was full and the latency went up; we've added capacity, and the backlog "
                "of {volume} {things} clears in {minutes} minutes.",
                "The connector was offline after its password ran out. I've helped it back, look "
                "at the green dot.",
            ),
            "OUT-LATENCY",
        ),
        Issue(
            (
                "The overnight run failed, and now {volume} {things} are missing from the report.",
                "The page is not loading at all in the {places}, here at head office it's only "
                "slow.",
            ),
            (
                (
                    "Can you send me the file name of last night?",
                    "It ends in {digits}, just sent it.",
                ),
                ("Does it help to use another network?", "On the phone's hotspot it loads, yes."),
            ),
            (
                "The run stopped at one broken record. I've set it aside, started the run again, "
                "and it's through.",
                "A route at your provider was broken; I've pinned you to another region for today.",
            ),
            "OUT-BATCH",
        ),
    ),
    "how_to": (
        Issue(
            (
                "How do I give {colleague} access to only two of our {places}?",
                "Where do I find the permissions for read-only users?",
            ),
            (
                ("Are you an admin yourself?", "Yes, since {colleague} left."),
                ("Do you see 'roles' on {screen}?", "Roles, yes. It's grey."),
            ),
            (
                "Open roles, copy the standard one, untick all but the two {places}, and save. "
                "Then assign it.",
                "I've unlocked it. Now you can set up the role under permissions, and it's live at "
                "once.",
            ),
            "HOW-ACCESS",
        ),
        Issue(
            (
                "How do I export {volume} {things} with the notes? The button stops at a thousand.",
                "I want to set up the {day} report as a file for {system}.",
            ),
            (
                ("Do you need it once or every week?", "Every {day}, before {time}."),
                ("As a spreadsheet or as CSV?", "CSV, with a semicolon if possible."),
            ),
            (
                "Use the scheduled export on {screen}: no limit there, it drops the file where you "
                "want it.",
                "I've made you a template, it's called 'weekly {things}'. Click it and choose the "
                "day.",
            ),
            "HOW-EXPORT",
        ),
        Issue(
            (
                "How do I configure an alert that only fires at night?",
                "We're trying to set up a rule for {metric} below {percent} percent, and it won't "
                "save.",
            ),
            (
                ("Which time zone is the site in?", "The one of the {places}, so two of them."),
                ("What does the form say when you save?", "'Condition incomplete', in red."),
            ),
            (
                "Each rule has a calendar, the small clock next to it. Set it to nights, and save "
                "the rule again.",
                "The condition needs a period, so add 'for {minutes} minutes', and then it saves.",
            ),
            "HOW-RULES",
        ),
    ),
    "cancellation": (
        Issue(
            (
                "We'd like to cancel the {product} subscription at the end of {month}.",
                "I have to terminate the contract for {people} of our {places}, they're closing.",
            ),
            (
                (
                    "May I ask what led to that?",
                    "It's the price, and we hardly use it since {month}.",
                ),
                (
                    "Do you know your notice period?",
                    "Thirty days, I think. That's why I call today.",
                ),
            ),
            (
                "I've noted it: those sites end with {month}, the others stay, and you get the "
                "confirmation in writing.",
                "There's also the option to pause for three months at no cost; I've put that on "
                "the account instead, you can still cancel.",
            ),
            "CXL-REQUEST",
        ),
        Issue(
            (
                "We cancelled in {month} and were renewed anyway. I want to cancel for good.",
                "I asked to cancel {product2} {weeks} weeks ago and nobody answered.",
            ),
            (
                (
                    "Do you have the date of that message?",
                    "The 9th of {month}, to your support address.",
                ),
                ("Is it the module alone or the whole account?", "The module. The rest we need."),
            ),
            (
                "I've found your message, it was never booked, and that's our mistake. It's "
                "cancelled from that date, with a refund of {money}.",
                "It's cancelled as of today, you have the confirmation by mail, and the last "
                "charge is refunded.",
            ),
            "CXL-DISPUTE",
        ),
    ),
}
