"""Sentences that carry the stories: what is claimed, quoted, promised, asked for and left out.

They are written like the fragments of ``company_texts``. Each holds the words by which the
kits know it, and enough slots that two calls rarely share one.
"""

from __future__ import annotations

from collections.abc import Mapping

Lines = tuple[str, ...]

OBJECTION: Mapping[str, Lines] = {
    "raised": (
        "My concern is that {staff} will say no, [they always do|after what happened in {month}].",
        "My concern is the effort: {weeks} weeks of set-up for {process}. [Who pays that?|Hm.]",
        "What worries me is that {system} breaks again, [like in {month}|and IT blames me].",
        "What worries me is that {colleague} would be the only one who knows how it works.",
        "I'm not convinced yet that {places_count} {places} need this, [to be frank|honestly].",
        "I'm not convinced that {role} will see the difference to {old_tool}.",
    ),
    "acknowledged": (
        "That's a fair point about {process}, {customer}.",
        "You're right to push on that, [{role} would as well|I would too].",
        "It's good that you say so now and not in {month}.",
    ),
    "asked": (
        "What would you need to see, so that {staff} can live with it?",
        "Which part of it weighs most for {role}?",
        "What's behind that, is it the time or {system}?",
    ),
    "shown": (
        "Let me show you how a customer with {places_count} {places} solved that in {month}.",
        "Here's an example: {volume} {things} a month, and {minutes} minutes of work left a day.",
        "The figures from a house of your size say {hours} hours a week, I can share them.",
    ),
    "checked": (
        "Does that answer it, or is there more, {customer}?",
        "Have I taken your worry about {process} seriously enough?",
        "Are we good on that one, so that I can go on to {product}?",
    ),
    "dismissed": (
        "That's not really an issue, [moving on|nobody else worries about {process}].",
        "Let's not go down that road, [we have {minutes} minutes|{product} is what matters].",
    ),
}

VALUE: Mapping[str, Lines] = {
    "clear": (
        "So that comes to {money} a year for {process} alone, [by your own figures|as you said].",
        "It pays for itself in {weeks} months if you get {hours} hours a week back.",
        "For {role} that means {percent} percent on the {metric}, and here's the sum.",
    ),
    "vague": (
        "It's a real game changer for {process}, believe me.",
        "You simply get more out of everything, [{metric} and all|{places} and all].",
        "{product} is next level, [everybody says so|wait and see].",
    ),
}

CLAIMS: Mapping[str, Mapping[str, Lines]] = {
    "api_limits": {
        "accurate": (
            "The API takes {limit} requests a minute on Pro and {limit4} on Enterprise, "
            "[enough for {system}|{colleague} can check that].",
            "For {system}: it's {limit} requests a minute on Pro, {limit4} on Enterprise.",
        ),
        "imprecise": (
            "The API limit is 1,000 requests a minute, [plenty for {system}|so don't worry].",
            "You get 1,000 requests a minute out of the box, {system} won't reach that.",
        ),
        "inaccurate": (
            "There's no limit on the API at all, [send {volume} {things} if you like|{system} "
            "can hammer it].",
            "The API has no limit at all, not even with {volume} {things} at {time}.",
        ),
    },
    "enterprise_sso": {
        "accurate": (
            "Single sign-on comes with the Enterprise plan only, so {role} should know that.",
            "Single sign-on comes with the Enterprise plan, [not with Pro|I'd rather say it now].",
        ),
        "inaccurate": (
            "We support SSO on all plans, so {role} can relax.",
            "And SSO is included on all plans, [also for {people} people|from day one].",
        ),
    },
    "uptime_sla": {
        "accurate": (
            "The SLA says 99.9 percent uptime, and you get a credit for {things} we lose.",
            "We sign 99.9 percent uptime, {role} can have the paragraph.",
        ),
        "inaccurate": (
            "We sign 99.99 percent uptime, [always have|{role} can sleep].",
            "Uptime is 99.99 percent in the contract, so {places} never notice.",
        ),
    },
    "data_residency": {
        "accurate": (
            "Your data stays in the region you pick, [Europe or the US|{role} will ask that].",
            "All {volume} {things} stay in the region you pick, on Pro and above.",
        ),
        "inaccurate": (
            "We host in any country you like, [even next to your {places}|just name it].",
            "Hosting in any country you like is no problem, tell {role}.",
        ),
    },
    "integrations": {
        "accurate": (
            "The connector covers the standard fields of {system}, your own ones have to be "
            "mapped.",
            "For {system} the connector covers the standard fields, the rest takes {weeks} days.",
        ),
        "inaccurate": (
            "It connects to everything by itself, {system} and whatever else you run.",
            "You plug it into {system} and it connects to everything, no mapping, nothing.",
        ),
    },
    "roadmap": {
        "accurate": (
            "I can't promise what comes in {month}, what you see today is what you sign for.",
        ),
        "inaccurate": (
            "Voice alerts come in the next release, in {month}, I've seen the internal list.",
            "The next release in {month} has {product2} built in, that's on the internal list.",
        ),
    },
}

PLAYBOOK: Mapping[str, Mapping[str, Lines]] = {
    "value_prop": {
        "approved": (
            "Customers like you need {proof} percent fewer hand-offs in {process}, that's our "
            "whole point.",
            "What you buy is {proof} percent fewer hand-offs, in {process} above all.",
        ),
        "mild": (
            "Basically we make {process} faster, [a lot faster|you'll see].",
            "In short: {process} gets cheaper with us.",
        ),
        "strong": (
            "We're the all-in-one AI platform for {things}, [period|and then some].",
            "Think of it as an all-in-one AI brain for {process}.",
        ),
    },
    "positioning": {
        "approved": (
            "We're built for operations with more than {sites} sites, and you have {places_count} "
            "{places}.",
            "It's built for operations teams with more than {sites} sites, not for analysts.",
        ),
        "mild": (
            "It's for anybody who works with {things}, really.",
            "It's made for anybody in {process}, large or small.",
        ),
        "strong": (
            "We're a cheaper BI tool, [if you like|to put it simply], with {things} in it.",
            "Call us a cheaper BI tool for {process}.",
        ),
    },
    "competitive_response": {
        "approved": (
            "I'd rather give you our comparison of {points} points than talk anybody down, "
            "{customer}.",
            "You'll get the comparison of {points} points, so that {role} can judge.",
        ),
        "mild": (
            "The others are fine too, I guess, [for small {places}|for {old_tool} users].",
            "I guess the others do {process} as well, somehow.",
        ),
        "strong": (
            "Everybody else in this market is dying, ask {colleague}.",
            "The rest of the market is dying, [{things} or not|mark my words].",
        ),
    },
}

RIVAL_PRICE: Lines = (
    "{competitor} charges {rival_price} a seat, I have their quote to another house here.",
    "Just so you know, {competitor} sells at {rival_price} a seat, that's from their own offer.",
    "I've seen what {competitor} asks: {rival_price} a seat, with {people} months for free.",
)

COMMERCIAL: Mapping[str, Lines] = {
    "tier": (
        "On {tier} the list price is {tier_price} a seat and month, for your {seats} seats.",
        "The {tier} plan is at {tier_price} a seat and month, [as of today|{role} can have that].",
        "That would be {tier}, {tier_price} a seat and month, [with support|connectors included].",
    ),
    "within": (
        "I can take {discount} percent off for one year, [that's mine to give|no need to ask].",
        "For a start in {month} you'd get {discount} percent off, for one year.",
    ),
    "asked": (
        "My manager has approved {discount} percent off, for a start in {month}.",
        "I've asked, and {discount} percent off is approved by my manager, [in writing|since "
        "{day}].",
    ),
    "beyond": (
        "I'll give you {discount} percent off, [I'll sort that out inside|don't tell {role}].",
        "Let's say {discount} percent off, and you sign by {day}.",
    ),
    "retired": (
        "You could take the {package}, [it fits {people} people|most of your field does].",
        "I'd put you on the {package}, {places_count} {places} included.",
    ),
    "hesitates": (
        "The price makes me hesitate, [{role} will compare|for {things} of that kind].",
        "I have to think about the price, {colleague} expected less for {seats} seats.",
        "At that price I need a second opinion, [{role} signs nothing blind|after {month}].",
    ),
}

MEDDICC: Mapping[str, Lines] = {
    "metrics": (
        "Our measure of success is the {metric}: {percent} percent better within {weeks} weeks.",
        "The measure of success would be {hours} hours a week less for {process}.",
    ),
    "economic_buyer": (
        "The money for this is released by {role}, who [signs on {day}s|has said yes before].",
        "It's {role} who releases the money, and I have {minutes} minutes with them on {day}.",
    ),
    "decision_criteria": (
        "Our criteria are {system}, the {metric} and the hosting, in that order.",
        "We compare by three criteria: {process}, {system} and price.",
    ),
    "decision_process": (
        "The steps to a yes are: {colleague} tests it, {role} reads a page, legal signs in "
        "{month}.",
        "After the test there are {people} steps to a yes, and {role} is the last of them.",
    ),
    "identify_pain": (
        "What hurts most is {process}, it eats {hours} hours a week of my {staff}.",
        "What hurts most: the {metric} is down by {percent} percent since {month}.",
    ),
    "champion": (
        "I'll carry this inside, [{colleague} and I want it|I've told {role} so].",
        "{colleague} and I will carry this inside, we've wanted to be rid of {old_tool} for years.",
    ),
}

SPICED: Mapping[str, Lines] = {
    "situation": (
        "So the situation today is {places_count} {places}, {old_tool}, and {people} people on it.",
        "As I see the situation today, {process} runs through {system} and {colleague}.",
    ),
    "pain": (
        "And the pain behind it is {process}, [night after night|{day} after {day}].",
        "If I got it right, the pain behind it is what {staff} lose with {things}.",
    ),
    "impact": (
        "In numbers, the impact is {money} a month, [by your count|as I add it up].",
        "So the impact is {hours} hours a week for {staff}, or {money} a year.",
    ),
    "critical_event": (
        "The date that everything hangs on is {month}, [the audit|when {system} changes].",
        "If I hear you, {month} is the date that everything hangs on.",
    ),
    "decision_process": (
        "Let's map the way to a decision: {colleague}, then {role}, then legal.",
        "I've drawn the way to a decision with {people} boxes, the last one is {role}.",
    ),
    "budget_qual": (
        "For the budget question: who signs {amount}, and is it in this year's plan?",
        "The budget question has to be asked: does {role} have {amount} for {process}?",
    ),
}

SIGNALS: Mapping[str, Lines] = {
    "champion": (
        "I want this to happen and I'll fight for it, [{role} knows|ask {colleague}].",
        "I'll fight for it in the meeting on {day}, [I need the {metric} up|{process} can't go "
        "on].",
    ),
    "technical_fit": (
        "IT has confirmed that it fits with {system}, [{colleague} tested it|since {day}].",
        "The test went well: {colleague} says that it fits with {system}.",
    ),
    "legal_review": (
        "The legal review is on {meet_day} at {meet_time}, {colleague} takes part.",
        "We've put the legal review on {meet_day} at {meet_time}.",
    ),
    "legal_concerns": (
        "Legal has concerns about the liability clause, [{people} remarks|{role} agrees].",
        "Our legal people have concerns about where {things} are stored.",
    ),
    "security_form": (
        "I've sent the security questionnaire back, all {people} pages of it.",
        "The security questionnaire went out to you on {day}, signed by {colleague}.",
    ),
    "security_review": (
        "Before we sign we need a security review, [{role} insists|because of {system}].",
        "There has to be a security review of {system} first, says {colleague}.",
    ),
    "buying": (
        "How soon could {people} of our {places} start?",
        "What would the contract look like for {seats} seats from {month} on?",
        "Could {colleague} get a login to try it with our {things}?",
        "Who would run the training for our {staff} in {month}?",
    ),
    "specific_pain": (
        "It's {hours} hours a week and {money} a month, I've counted it with {colleague}.",
        "To be exact: {volume} {things} late in {month}, and {money} in penalties.",
        "Last {month} it was exactly {percent} percent of our {things}, that's {money}.",
    ),
}

RISK: Lines = (
    "We need to revisit this in {quarter}, [the board wants to see cash first|I can't defend "
    "it now].",
    "I've put every order above {money} on hold, [this one too|until the figures are in].",
    "For me there is no budget before {month}, whatever {colleague} has told you.",
)

CARE: Mapping[str, Lines] = {
    "state": (
        "We're in {state}, by the way, [in case the hours matter|so it's early here].",
        "I'm at our site in {state} today, {weather}.",
    ),
    "consent": (
        "As you're in {state}, I need your consent to the recording: do you agree?",
        "For {state} I have to ask for your consent to the recording, {customer}, is that a yes?",
    ),
    "consented": ("Yes, I agree, [go on|{process} can't wait].", "I agree, {colleague} does too."),
    "late": (
        "I should have said it at the start: we keep a copy of what is said, for {weeks} weeks.",
        "Oh, and I should have said it earlier, we keep a copy of all this.",
    ),
    "overdue": (
        "It's about the overdue amount, {money} from {month}, [I got a reminder|you wrote to us].",
        "You sent us a reminder over {money}, and {colleague} says it's overdue since {month}.",
    ),
    "miranda": (
        "I have to say that this is an attempt to collect a debt, the {money} from {month}.",
        "First, this is an attempt to collect a debt, and what you tell me is used for that, "
        "{customer}.",
    ),
    "forbidden": (
        "If you don't pay by {day} we will take you to court, [just so you know|{customer}].",
        "This is your last chance, after {time} I can't do anything for {things}.",
        "You have no choice here, [{month} is {month}|{role} or not].",
        "Everybody else pays that, so why wouldn't {account}?",
    ),
    "easy": (
        "There's nothing more you have to do, [{screen} updates by itself|I've done it for you].",
        "I've already filled that in for you, [{reference}|you only need to look at {screen}].",
        "I'll stay on it so that you don't have to call again about {things}.",
    ),
    "hard": (
        "Please fill in the form on {screen} again, [both pages|with {reference}].",
        "You have to send that once more to the other team, with {reference} on it.",
    ),
    "clear": (
        "The cause was {screen}, and what I changed is the rule for {things}.",
        "In one sentence: what I changed is {screen}, and you see it from {time} on.",
        "What happens next: {colleague} checks it on {day}, and you get a mail by {time}.",
    ),
    "unclear": (
        "It should be somewhere in {system}, [sort of|more or less].",
        "I think it's kind of working, {screen} is weird anyway.",
    ),
    "brand": (
        "You're in good hands with {company}, {customer}, [that's a promise to {account}|always].",
        "It's what we're here for at {company}, [{day} or not|{time} or not].",
        "We want {account} to feel looked after, [I mean that|every {day}].",
    ),
    "off_brand": (
        "Whatever, {product} does that all the time.",
        "Yeah, our {product} is a bit of a mess since {month}.",
    ),
    "at_limit": (
        "Sorry, I'm at my limit today, that's case number {people} about {screen}.",
        "I can't take much more of {system}, and nobody up there cares.",
        "I'm so done with {screen}, [between us|honestly].",
    ),
    "coached": (
        "I've learned to ask first: is it all {places} or only one?",
        "My coach {manager} showed me a quicker way through {screen}, let me try it.",
        "I'm trying what we practised on {day}: I repeat your point about {things} first.",
    ),
    "uncoachable": (
        "They want me to read you a text about {process} here, I'll skip that nonsense.",
        "My coach would want another question about {things}, but I don't bother any more.",
    ),
}
