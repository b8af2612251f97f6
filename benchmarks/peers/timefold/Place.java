/** Who does a task, and in which of the task's windows. One object for each, shared by all tasks, so that tasks can swap. */
public record Place(Person person, int window) {
}
