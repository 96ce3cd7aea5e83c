/** One thread for each build: the first message opens it, all others answer. Without Slack, the log has them. */

Map open(String channel, String text) {
    return say([channel: channel, about: text, id: null], '#439FE0', 'started')
}

/** Go on in the thread of another build, whose id it handed over; anything else opens a new one. */
Map join(String channel, String id, String text) {
    if (id ==~ /[A-Z0-9]{6,20}:\d{10}\.\d{6}/) {
        return [channel: channel, about: text, id: id]
    }
    return open(channel, text)
}

void good(Map thread, String text) {
    say(thread, 'good', text)
}

void warn(Map thread, String text) {
    say(thread, 'warning', text)
}

void bad(Map thread, String text) {
    say(thread, 'danger', text)
}

/** Say it; that a message did not arrive fails no build. */
private Map say(Map thread, String color, String text) {
    String message = "${thread.about}: ${text} (<${env.BUILD_URL}|log>)"
    echo "${thread.about}: ${text}"
    if (env.SLACK_CHANNEL) {
        try {
            def sent = slackSend(channel: thread.id ?: thread.channel ?: env.SLACK_CHANNEL, color: color, message: message)
            if (!thread.id && sent) {
                thread.id = sent.threadId
            }
        } catch (Exception failure) {
            echo "Slack: ${failure.message}"
        }
    }
    return thread
}
