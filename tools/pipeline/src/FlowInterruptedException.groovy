package org.jenkinsci.plugins.workflow.steps

/** Jenkins' own, which is not on Maven Central: a build that a person or a time limit ended. */
class FlowInterruptedException extends InterruptedException {
    FlowInterruptedException(String message) { super(message) }
}
